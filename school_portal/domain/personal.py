"""What is done with one person's data on request."""

from school_portal.domain.labels import LabelledEnum


class PersonalAction(LabelledEnum):
    """Each has its reason, and leaves its trace."""

    REVEAL = "reveal", "查看完整号码"
    EXPORT = "export", "导出个人信息"
    CORRECT = "correct", "更正个人信息"
    DELETE = "delete", "删除个人信息"
