"""The stages of a round and of a need: words alone, for whoever lists them and loads no rule."""

from __future__ import annotations

from domain.kernel.state import NONE
from domain.kernel.words import Words


class RoundStage(Words):
    """Where a round stands."""

    NONE = NONE, "尚未建立", "not started"
    PLANNED = "PLANNED", "籌備", "in preparation"
    SOLICITING = "SOLICITING", "需求徵集中", "collecting needs"
    COLLECTED = "COLLECTED", "需求徵集結束", "needs closed"
    CATALOGUED = "CATALOGUED", "需求清單已發布", "needs list published"
    OPEN = "OPEN", "申報中", "open"
    CLOSED = "CLOSED", "申報截止", "closed"
    RESOLVED = "RESOLVED", "評審結果已審定", "decided"
    PUBLISHED = "PUBLISHED", "結果已公開", "results published"
    CANCELLED = "CANCELLED", "本屆徵集取消", "cancelled"


class NeedStage(Words):
    """Where a need stands. It lies here because the round's catalogue reads it; the rest is ``domain.need``."""

    NONE = NONE, "尚未建立", "not started"
    SUBMITTED = "SUBMITTED", "已提交", "submitted"
    ADOPTED = "ADOPTED", "已入庫", "adopted"
    REJECTED = "REJECTED", "不採納", "not adopted"
    MERGED = "MERGED", "已合併", "merged"
    SPLIT = "SPLIT", "已拆分", "split"
