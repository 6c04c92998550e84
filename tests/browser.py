"""A real Chromium, spoken to over a pipe: https://chromedevtools.github.io/devtools-protocol/."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")


class Page:
    """One tab: what it is told to do, and what it was seen to do."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session: str | None = None

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        number = next(self._numbers)
        message: dict[str, object] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._writer.write(orjson.dumps(message) + b"\0")
        await self._writer.drain()
        return await answer

    async def open(self, width: int, height: int) -> None:
        """Begin to watch a fresh tab of this size."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        # Workers are targets of their own: what they ask for is wanted, too.
        await self.call(
            "Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True
        )
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def evaluate(self, expression: str) -> Any:
        """The value of some JavaScript, waiting for it if it is a promise."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    async def until(self, expression: str, seconds: float = 30) -> None:
        """Wait for an expression to be true."""
        async with asyncio.timeout(seconds):
            await self.evaluate(
                "new Promise((resolve) => { const look = () => "
                f"({expression}) ? resolve() : setTimeout(look, 50); look(); }})"
            )

    async def enter(self, element: str, text: str) -> None:
        """Put a text where another one is, as somebody would who pastes it."""
        await self.evaluate(f"{element}.focus()")
        key = {"key": "a", "code": "KeyA", "windowsVirtualKeyCode": 65, "modifiers": 2}
        for kind in ("rawKeyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, commands=["selectAll"], **key)
        await self.evaluate(
            "(() => { const clipboardData = new DataTransfer();"
            f" clipboardData.setData('text/plain', {orjson.dumps(text).decode()});"
            f" {element}.dispatchEvent(new ClipboardEvent('paste', {{clipboardData}})); }})()"
        )

    async def screenshot(self) -> bytes:
        """What the tab looks like, as a PNG."""
        shot = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(shot["data"])

    async def listen(self) -> None:
        """Sort what the browser says, until it stops."""
        while True:
            try:
                message = orjson.loads((await self._reader.readuntil(b"\0"))[:-1])
            except asyncio.IncompleteReadError:
                return
            if "id" in message:
                waiting = self._waiting.pop(message["id"], None)
                if waiting is None:  # a worker says that it is watched; nobody waits for that
                    continue
                if "error" in message:
                    waiting.set_exception(RuntimeError(str(message["error"])))
                else:
                    waiting.set_result(message["result"])
                continue
            event, about = message["method"], message["params"]
            if event == "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])
            elif event == "Runtime.exceptionThrown":
                self.complaints.append(str(about["exceptionDetails"]))
            elif event == "Log.entryAdded" and about["entry"]["level"] == "error":
                self.complaints.append(about["entry"]["text"])
            elif event == "Target.attachedToTarget" and about["targetInfo"]["type"] == "worker":
                enable = {
                    "id": next(self._numbers),
                    "method": "Network.enable",
                    "sessionId": about["sessionId"],
                }
                self._writer.write(orjson.dumps(enable) + b"\0")


@asynccontextmanager
async def browser(width: int = 1440, height: int = 900) -> AsyncIterator[Page]:
    """A headless Chromium with one empty tab."""
    assert CHROMIUM is not None
    (its_input, our_output), (our_input, its_output) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # It reads from descriptor 3 and writes to 4, which is for a shell to arrange.
        command = f'exec "$@" 3<&{its_input} 4>&{its_output}'
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            command,
            "bash",
            CHROMIUM,
            "--headless=new",
            "--remote-debugging-pipe",
            "--no-sandbox",  # as root there is none, and we only open our own page
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            f"--user-data-dir={profile}",
            pass_fds=(its_input, its_output),
            stderr=asyncio.subprocess.DEVNULL,
        )
        os.close(its_input)
        os.close(its_output)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=2**26)
        reading, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(our_input, "rb")
        )
        writing, protocol = await loop.connect_write_pipe(
            asyncio.streams.FlowControlMixin, os.fdopen(our_output, "wb")
        )
        page = Page(reader, asyncio.StreamWriter(writing, protocol, None, loop))
        listening = asyncio.create_task(page.listen())
        try:
            await page.open(width, height)
            yield page
        finally:
            writing.close()  # Chromium ends with its pipe
            await process.wait()
            await listening
            reading.close()
