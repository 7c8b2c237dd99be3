"""OpenAI's streamed responses for callers whose provider does not speak them: pieces written as events.

The events come in the order of the original: an item begins, a part of it begins, pieces, the part whole, the item
whole; at the end the response whole.
"""

from clavero.domain.calls import BadAnswer
from clavero.wire import canonical, sse
from clavero.wire.body import Tree
from clavero.wire.translate_responses import call_item, ending, message_item, response


class ResponsesWriter:
    """Writes events for a caller; `created` is UTC seconds."""

    def __init__(self, asked: Tree, created: int) -> None:
        self._asked = asked
        self._created = created
        self._whole: Tree = {}
        self._identity = ""
        self._sequence = 0
        self._output: list[Tree] = []
        self._open: canonical.CallBegin | str | None = None  # a call, the id of a message, or nothing
        self._said: list[str] = []  # pieces of what is open

    def write(self, piece: canonical.Piece) -> bytes:
        """The bytes of one piece."""
        match piece:
            case canonical.Begin(identity, model):
                self._identity = identity
                self._whole = response(self._asked, identity, model, self._created)
                created = self._event("response.created", response=self._whole)
                return created + self._event("response.in_progress", response=self._whole)
            case canonical.Text(text):
                return self._text(text)
            case canonical.CallBegin():
                return self._call(piece)
            case canonical.CallPiece(number, given):
                return self._arguments(number, given)
            case canonical.End(finish, tokens):
                closed = self._close()
                self._whole |= ending(finish, self._output, tokens)
                return closed + self._event(f"response.{self._whole['status']}", response=self._whole)

    def _text(self, text: str) -> bytes:
        opened = b""
        if not isinstance(self._open, str):
            opened = self._close()
            self._open = f"{self._identity}_{len(self._output)}" if self._output else self._identity
            opened += self._event("response.output_item.added", item=message_item(self._open, None, "in_progress"))
            opened += self._part("response.content_part.added", part=_part(""))
        self._said.append(text)
        return opened + self._part("response.output_text.delta", delta=text, logprobs=[])

    def _call(self, call: canonical.CallBegin) -> bytes:
        closed = self._close()
        self._open = call
        item = call_item(call.id, call.name, "", "in_progress")
        return closed + self._event("response.output_item.added", item=item)

    def _arguments(self, number: int, given: str) -> bytes:
        if not isinstance(self._open, canonical.CallBegin) or self._open.number != number:
            raise BadAnswer("the provider went back to a tool call that had ended")
        self._said.append(given)
        return self._event("response.function_call_arguments.delta", item_id=f"fc_{self._open.id}", delta=given)

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        said = "".join(self._said)
        if isinstance(self._open, str):
            item = message_item(self._open, said)
            done = self._part("response.output_text.done", text=said, logprobs=[])
            done += self._part("response.content_part.done", part=_part(said))
        else:
            item = call_item(self._open.id, self._open.name, said or "{}")
            done = self._event("response.function_call_arguments.done", item_id=item["id"], arguments=said or "{}")
        done += self._event("response.output_item.done", item=item)
        self._output.append(item)
        self._open = None
        self._said = []
        return done

    def _part(self, kind: str, **members: object) -> bytes:
        return self._event(kind, item_id=f"msg_{self._open}", content_index=0, **members)

    def _event(self, kind: str, **members: object) -> bytes:
        tree: Tree = {"type": kind, "sequence_number": self._sequence}
        if "response" not in members:
            tree["output_index"] = len(self._output)
        self._sequence += 1
        return sse.event(tree | members, kind)


def _part(text: str) -> Tree:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
