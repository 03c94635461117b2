"""What templates compile to, kept where Python keeps what its modules compile to: else each start compiles for seconds.

Like Python's own it is no more than a saving. Where it cannot be written, or not be read, templates are compiled anew.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from hashlib import sha256
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from web.components import words

if TYPE_CHECKING:
    from jinja2.bccache import Bucket


class TemplateBytecode(jinja2.FileSystemBytecodeCache):
    """The bytecode of the templates that are compiled as that module says, beside the bytecode of the module."""

    def __init__(self, module: str) -> None:
        """``module`` is the path of its source: what it says, and what its filters do, is compiled in too."""
        folder = Path(cache_from_source(module)).parent
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        super().__init__(str(folder), f"template-%s.{jinja2.__version__}")
        self._recipe = b"".join(sha256(Path(path).read_bytes()).digest() for path in (module, str(words.__file__)))

    def get_source_checksum(self, source: str) -> str:
        """A digest of all that the bytecode is made from."""
        return sha256(self._recipe + source.encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what is kept, if it can be read."""
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001 - of what was cut short, unpickling may raise anything
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it, where that can be written and Python keeps its own."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                super().dump_bytecode(bucket)
