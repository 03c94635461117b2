"""A file that a command writes: whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from domain.kernel.failure import Failure, FailureKind


class FileUnwritable(Failure):
    """The file cannot be written there."""

    kind = FailureKind.UNAVAILABLE


def write_file(path: Path, content: bytes) -> None:
    """Put the content where that path says, in place of what was there. Raises FileUnwritable."""
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:40]}.", delete=False) as unfinished:
            try:
                unfinished.write(content)
                unfinished.flush()
                os.fsync(unfinished.fileno())
                Path(unfinished.name).chmod(0o640)
                Path(unfinished.name).replace(path)
            except BaseException:
                Path(unfinished.name).unlink(missing_ok=True)
                raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise FileUnwritable(f"不能寫入 {path}：{why}", f"{path} cannot be written: {why}") from error
