"""Servers on loopback that behave well or badly: real HTTP, real streaming.

`Handler` speaks the format of OpenAI, `AnthropicHandler` that of Anthropic's messages, `OllamaHandler` that of Ollama's
chat; what they answer (`Reply`) is the same for all.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Handler", list[dict[str, Any]]], None]


class Server(ThreadingHTTPServer):
    """One such server. `requests` are the bodies it got; `gone` is set when a client hangs up on it."""

    daemon_threads = True
    block_on_close = False
    address_family = socket.AF_INET

    def __init__(self, reply: Reply, handler: type[Handler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.reply, self.base = reply, handler.base
        self.requests: list[dict[str, Any]] = []
        self.sent: list[dict[str, str]] = []
        self.gone = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{self.base}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.gone.set()


class Handler(BaseHTTPRequestHandler):
    """Takes one chat request and lets the server's `reply` answer it."""

    protocol_version = "HTTP/1.1"
    base, stream_type = "/v1", "text/event-stream"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.plain(200, {"object": "list", "data": [{"id": "test-model", "object": "model", "max_model_len": 4096}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.requests.append(body)
            self.server.sent.append(dict(self.headers))
        self.server.reply(self, self.chat(body))

    def chat(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The messages of a request, in the form of OpenAI."""
        messages: list[dict[str, Any]] = body["messages"]
        return messages

    @property
    def count(self) -> int:
        """How many requests there have been, this one included."""
        return len(self.server.requests)

    def plain(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "content-type": "application/json",
            "content-length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("content-type", self.stream_type)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def raw(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def event(self, delta: dict[str, Any], finish: str | None = None) -> None:
        chunk = {
            "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "test-model",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }  # fmt: skip
        self.raw(b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n")

    def end(self, finish: str = "stop") -> None:
        self.event({}, finish)
        self.raw(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def stream(self, text: str, *, each: float = 0.0, size: int = 7) -> None:
        self.begin()
        for i in range(0, len(text), size):
            self.event({"content": text[i : i + size]})
            if each:
                time.sleep(each)
        self.end()

    def die(self) -> None:
        """Break the connection off as a crashing server does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def wait_for_hangup(self, seconds: float) -> None:
        """Do nothing until the client hangs up; then set `gone`."""
        self.connection.settimeout(seconds)
        try:
            if self.connection.recv(1) == b"":
                self.server.gone.set()
        except TimeoutError:
            pass
        except OSError:
            self.server.gone.set()
        self.close_connection = True


class AnthropicHandler(Handler):
    """Anthropic's messages: named events, the system's words apart, roles by turns."""

    base = ""

    def chat(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        assert self.path.split("?")[0] == "/v1/messages"
        assert self.headers["anthropic-version"]
        assert self.headers["x-api-key"]
        assert body["max_tokens"] > 0
        assert body["stream"] is True
        roles = [m["role"] for m in body["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"], roles
        return [{"role": "system", "content": _joined(body.get("system", ""))}] + [
            {"role": m["role"], "content": _joined(m["content"])} for m in body["messages"]
        ]

    def named(self, name: str, data: dict[str, Any]) -> None:
        self.raw(f"event: {name}\ndata: {json.dumps({'type': name, **data}, ensure_ascii=False)}\n\n".encode())

    def begin(self) -> None:
        super().begin()
        self._block: str | None = None
        self._index = -1
        message = {
            "id": "m1", "type": "message", "role": "assistant", "model": "test-model", "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1},
        }  # fmt: skip
        self.named("message_start", {"message": message})
        self.named("ping", {})

    def event(self, delta: dict[str, Any], finish: str | None = None) -> None:
        for field, kind in (("reasoning_content", "thinking"), ("content", "text")):
            if field not in delta:
                continue
            if self._block != kind:
                self._close()
                self._block, self._index = kind, self._index + 1
                start = {"type": kind, kind: "", **({"signature": ""} if kind == "thinking" else {})}
                self.named("content_block_start", {"index": self._index, "content_block": start})
            piece = {"type": f"{kind}_delta", kind: delta[field]}
            self.named("content_block_delta", {"index": self._index, "delta": piece})

    def _close(self) -> None:
        if self._block is not None:
            self.named("content_block_stop", {"index": self._index})
        self._block = None

    def end(self, finish: str = "end_turn") -> None:
        self._close()
        usage = {"output_tokens": 20}
        self.named("message_delta", {"delta": {"stop_reason": finish, "stop_sequence": None}, "usage": usage})
        self.named("message_stop", {})
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


class OllamaHandler(Handler):
    """Ollama's chat: one JSON object a line, the last one `done`."""

    base, stream_type = "", "application/x-ndjson"

    def chat(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        assert self.path == "/api/chat", self.path
        assert body["stream"] is True
        return super().chat(body)

    def line(self, message: dict[str, Any], **more: Any) -> None:
        said = {"model": "test-model", "created_at": "2026-01-01T00:00:00Z", "message": message, **more}
        self.raw(json.dumps(said, ensure_ascii=False).encode() + b"\n")

    def event(self, delta: dict[str, Any], finish: str | None = None) -> None:
        message = {"role": "assistant", "content": delta.get("content", "")}
        if "reasoning_content" in delta:
            message["thinking"] = delta["reasoning_content"]
        self.line(message, done=False)

    def end(self, finish: str = "stop") -> None:
        counts = {"prompt_eval_count": 9, "eval_count": 20}
        self.line({"role": "assistant", "content": ""}, done=True, done_reason=finish, **counts)
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


def _joined(content: Any) -> str:
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


@contextmanager
def serving(reply: Reply, handler: type[Handler] = Handler) -> Iterator[Server]:
    """Run a server while the block runs."""
    server = Server(reply, handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def passages_of(messages: list[dict[str, Any]]) -> dict[int, str]:
    """The numbered passages of the last message of a prompt, as a model sees them."""
    text = next((m["content"] for m in messages if m["role"] == "user" and "<<passage" in m["content"]), "")
    found = re.findall(r"<<passage (\d+) ([0-9a-f]+)>>\nFrom: [^\n]*\n(.*?)\n<<end \1 \2>>", text, re.DOTALL)
    return {int(number): body for number, _, body in found}


def is_rewrite(messages: list[dict[str, Any]]) -> bool:
    """Whether a prompt asks for the standalone question."""
    return "<<conversation" in messages[-1]["content"]


def saying(text: str | Callable[[list[dict[str, Any]]], str], *, each: float = 0.0, size: int = 7) -> Reply:
    """A server that always writes this."""
    return lambda h, messages: h.stream(text if isinstance(text, str) else text(messages), each=each, size=size)


def quoting(messages: list[dict[str, Any]]) -> str:
    """What a model writes that knows its business: the first sentence of the first three passages, cited."""
    said = []
    for number, body in list(passages_of(messages).items())[:3]:
        sentence = re.match(r"[\s#*-]*(.*?[.!?])(?=\s|$)", body, re.DOTALL)
        if sentence is not None:
            said.append(f"{' '.join(sentence[1].split())} [{number}]")
    return " ".join(said)


def counting(text: str | Callable[[list[dict[str, Any]]], str], prompt: int, completion: int) -> Reply:
    """A server that states its tokens in a last piece without text, if it is asked to."""

    def reply(h: Handler, messages: list[dict[str, Any]]) -> None:
        asked = h.server.requests[-1].get("stream_options", {}).get("include_usage", False)
        h.begin()
        h.event({"content": text if isinstance(text, str) else text(messages)})
        h.event({}, "stop")
        if asked:
            usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
            chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
            h.raw(b"data: " + json.dumps(chunk | {"usage": usage}).encode() + b"\n\n")
        h.raw(b"data: [DONE]\n\n")
        h.wfile.write(b"0\r\n\r\n")
        h.wfile.flush()

    return reply


def narrow(reply: Reply) -> Reply:
    """A server that takes no field that it does not know."""

    def first(h: Handler, messages: list[dict[str, Any]]) -> None:
        if "stream_options" in h.server.requests[-1]:
            h.plain(422, {"error": {"message": "extra_forbidden: stream_options"}})
        else:
            reply(h, messages)

    return first


def slow_first(seconds: float) -> Reply:
    def reply(h: Handler, messages: list[dict[str, Any]]) -> None:
        h.begin()
        h.wait_for_hangup(seconds)
        if not h.server.gone.is_set():
            for piece in re.findall(r".{1,9}", quoting(messages), re.DOTALL):
                h.event({"content": piece})
            h.end()

    return reply


def silent(h: Handler, messages: list[dict[str, Any]]) -> None:
    """Takes the request and answers nothing at all, not even a status line."""
    h.wait_for_hangup(60)


def dying(h: Handler, messages: list[dict[str, Any]]) -> None:
    """Writes one sentence and half of another, and crashes."""
    h.begin()
    for piece in re.findall(r".{1,9}", f"{quoting(messages)} And then the minister", re.DOTALL):
        h.event({"content": piece})
    time.sleep(0.3)  # a reset throws away what the other side has not read yet
    h.die()


def ending_early(h: Handler, messages: list[dict[str, Any]]) -> None:
    """Ends the response properly in the middle of the text, without saying that it is done."""
    h.begin()
    h.event({"content": "The crane fell because the"})
    h.wfile.write(b"0\r\n\r\n")


def busy_then(times: int, reply: Reply, status: int = 429, after: str = "0") -> Reply:
    def first(h: Handler, messages: list[dict[str, Any]]) -> None:
        if h.count <= times:
            h.plain(status, {"error": {"message": "slow down sk-secret"}}, {"retry-after": after})
        else:
            reply(h, messages)

    return first


def failing(status: int) -> Reply:
    return lambda h, messages: h.plain(status, {"error": {"message": "no sk-secret"}})


def malformed(h: Handler, messages: list[dict[str, Any]]) -> None:
    h.begin()
    h.event({"content": "The crane "})
    h.raw(b'data: {"choices": [{"delta": {"content": "fell\n\n')
    h.end()


def endless(h: Handler, messages: list[dict[str, Any]]) -> None:
    h.begin()
    try:
        while True:
            h.event({"content": "and on and on " * 20})
    except OSError:
        h.server.gone.set()
        h.close_connection = True


def reasoning(h: Handler, messages: list[dict[str, Any]]) -> None:
    """Thinks in a field of its own, then in the text, then answers."""
    h.begin()
    h.event({"reasoning_content": "The user wants a secret plan. [1]"})
    h.event({"content": "<thi"})
    h.event({"content": "nk>A secret plan with 777 ships. [1]</th"})
    h.event({"content": "ink>"})
    for piece in re.findall(r".{1,9}", quoting(messages), re.DOTALL):
        h.event({"content": piece})
    h.end()
