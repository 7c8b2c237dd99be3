"""The secret in the forms that people paste: the page shows it masked, the copy holds it whole."""

from msgspec import Struct

from clavero.entrypoints.http.console.messages import Messages

_SHOWN = 7


class Snippet(Struct, frozen=True):
    """One form of it."""

    id: str
    title: str
    text: str


def masked(secret: str) -> str:
    """A key of ours with its secret part as dots; the ends by which people tell keys apart stay."""
    head, _, tail = secret.rpartition("_")
    return f"{head}_{'•' * 16}{tail[-_SHOWN:]}"


def snippets(gateway_url: str, secret: str, model: str, words: Messages) -> list[Snippet]:
    """Ready to paste, for a gateway at this address."""
    base = f"{gateway_url}/v1"
    return [
        Snippet("env", words("secret.env"), f"OPENAI_BASE_URL={base}\nOPENAI_API_KEY={secret}"),
        Snippet("shell", words("secret.shell"), f"export OPENAI_BASE_URL={base}\nexport OPENAI_API_KEY={secret}"),
        Snippet("python", "Python", _PYTHON.format(base=base, secret=secret, model=model)),
        Snippet("curl", "curl", _CURL.format(base=base, secret=secret, model=model)),
    ]


_PYTHON = """from openai import OpenAI

client = OpenAI(base_url="{base}", api_key="{secret}")
answer = client.chat.completions.create(model="{model}", messages=[{{"role": "user", "content": "Hi"}}])
print(answer.choices[0].message.content)"""
_CURL = """curl {base}/chat/completions \\
  -H "Authorization: Bearer {secret}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model":"{model}","messages":[{{"role":"user","content":"Hi"}}]}}'"""
