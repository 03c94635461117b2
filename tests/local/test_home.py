"""Where an installation's files are to lie, and what is said where they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.failure import LocalServerFailure
from local.servers import _prepare

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("below", "zh"),
    [("file", "該處是文件"), ("file/home", "上級路徑中有文件"), ("n" * 300, "路徑過長")],
)
def test_a_home_that_cannot_be_is_told_in_words(tmp_path: Path, below: str, zh: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalServerFailure) as refused:
        _prepare(tmp_path / below)
    assert zh in refused.value.zh
    assert "Errno" not in refused.value.en
