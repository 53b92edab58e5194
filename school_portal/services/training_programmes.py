"""The documents that support an application: one or more for each specialty (annex 1, note 1)."""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from typing import BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from importers.documents import PICTURES, SUFFIXES, sniff
from importers.limits import LIMITS
from importers.limits import Refused as FileRefused
from importers.sandbox import rewrite_photograph
from school_portal.domain.identifiers import mask_numbers
from school_portal.domain.plain_text import plain_name
from school_portal.models import SpecialtyEvaluation, TrainingProgramme
from school_portal.security import audit
from school_portal.services import evaluations
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal

MIB = 1024 * 1024
LIMIT = 20 * MIB


def attach(
    session: Session,
    portal: Portal,
    actor: Actor,
    evaluation: SpecialtyEvaluation,
    specialty_id: int,
    stream: BinaryIO,
    file_name: str,
) -> TrainingProgramme:
    """Keep a document for the specialty, encrypted; a picture is written anew.

    Its name ends as its content says. Raises NotFound for another school's specialty; Refused for
    an empty file, one beyond LIMIT bytes, or one that is no PDF, Word file or image.
    """
    # Before anything is held: a picture takes its time.
    content, media_type = _judged(stream.read(LIMIT + 1))
    evaluations.hold(session, actor, evaluation)
    specialty = evaluations.own_specialty(session, evaluation, specialty_id)
    evaluations.guard(
        evaluation, evaluations.may_attach(evaluation, specialty.id), f"{specialty.name}的佐证材料"
    )
    stored = portal.storage.put(io.BytesIO(content), LIMIT)
    made = TrainingProgramme(
        evaluation_id=evaluation.id,
        specialty_id=specialty.id,
        file_name=_plain_name(file_name, SUFFIXES[media_type]),
        media_type=media_type,
        size=stored.size,
        sha256=stored.sha256,
        storage_key=stored.key,
        added_at=portal.clock(),
    )
    session.add(made)
    _touched(session, portal, evaluation)
    audit.record(
        session, actor.label, "evaluation.attach", evaluation.subject, sha256=stored.sha256
    )
    return made


def _judged(content: bytes) -> tuple[bytes, str]:
    """What is kept, and its media type. Raises Refused."""
    if not content:
        raise Refused("文件是空的，没有上传。请检查文件后重新选择。")
    _within_limit(content)
    media_type = sniff(content)
    if media_type is None:
        raise Refused(
            "文件内容不是 PDF、Word（不带宏）或 JPG、PNG 图片，没有上传。"
            "改扩展名不能改变文件内容，请另存为这些格式后重新选择。"
        )
    if media_type in PICTURES:
        content = _rewritten(content)
        _within_limit(content)
    return content, media_type


def _within_limit(content: bytes) -> None:
    if len(content) > LIMIT:
        raise Refused(f"文件超过 {LIMIT // MIB} MB，没有上传。请压缩图片或分成几个文件后重新选择。")


def _rewritten(picture: bytes) -> bytes:
    try:
        return rewrite_photograph(picture)
    except FileRefused as refused:
        if refused.issue.code == "file.too-large":
            raise Refused(
                f"图片超过 {LIMITS.pixels // 10_000} 万像素，没有上传。请缩小图片后重新选择。"
            ) from refused
        raise Refused(
            "图片已损坏或不能读取，没有上传。请重新拍照或扫描，另存为 JPG 或 PNG 后重新选择。"
        ) from refused


def _plain_name(file_name: str, suffix: str) -> str:
    """The path's last part with the content's suffix; no control characters, no full numbers."""
    stem = PurePosixPath(mask_numbers(plain_name(file_name))).stem
    return (stem or "人才培养方案") + suffix


def detach(
    session: Session,
    portal: Portal,
    actor: Actor,
    evaluation: SpecialtyEvaluation,
    programme_id: int,
) -> None:
    """Take a document off; the file stays for the submissions that hold its hash.

    Raises NotFound, Refused.
    """
    evaluations.hold(session, actor, evaluation)
    found = one(session, evaluation, programme_id)
    if found.detached_at is not None:
        raise NotFound("TrainingProgramme")
    allowed = evaluations.may_attach(evaluation, found.specialty_id)
    evaluations.guard(evaluation, allowed, f"{found.specialty.name}的佐证材料")
    found.detached_at = portal.clock()
    _touched(session, portal, evaluation)
    audit.record(session, actor.label, "evaluation.detach", evaluation.subject, sha256=found.sha256)


def _touched(session: Session, portal: Portal, evaluation: SpecialtyEvaluation) -> None:
    evaluations.touch(portal, evaluation)
    session.flush()
    session.expire(evaluation, ["programmes"])


def one(session: Session, evaluation: SpecialtyEvaluation, programme_id: int) -> TrainingProgramme:
    """A document of the application, detached or not. Raises NotFound."""
    found = session.scalar(
        sa.select(TrainingProgramme).where(
            TrainingProgramme.id == programme_id,
            TrainingProgramme.evaluation_id == evaluation.id,
        )
    )
    if found is None:
        raise NotFound("TrainingProgramme")
    return found
