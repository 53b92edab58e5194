"""The audit events' actions as people read them; one without words is shown by its code."""

from __future__ import annotations

from types import MappingProxyType

from school_portal.domain.account import AccountAction, OpeningAction
from school_portal.domain.group_application import ApplicationAction
from school_portal.domain.permission import PermissionAction
from school_portal.domain.roster import RosterAction
from school_portal.domain.school_key import KeyAction
from school_portal.domain.specialty_evaluation import EvaluationAction, LineAction
from school_portal.models import (
    AccountOpening,
    EvaluationLine,
    GroupApplication,
    Permission,
    Roster,
    SchoolAccount,
    SchoolKey,
    SpecialtyEvaluation,
)

_MOVES = (
    (Roster, "名册", RosterAction),
    (GroupApplication, "团体申报", ApplicationAction),
    (SpecialtyEvaluation, "专业评估", EvaluationAction),
    (EvaluationLine, "评估结论", LineAction),
    (SchoolAccount, "学校账户", AccountAction),
    (AccountOpening, "开户与变更", OpeningAction),
    (Permission, "申报权限", PermissionAction),
    (SchoolKey, "学校密钥", KeyAction),
)
_OTHERS = {
    "account-opening.print": "打印开户申请表",
    "application.export": "下载团体申报工作簿",
    "application.generate": "生成团体申报",
    "audit.export": "导出审计记录",
    "audit.retire": "删除到期的审计记录",
    "audit.verify": "核对审计记录",
    "audit.view": "查看审计记录",
    "crl-override.end": "结束放行吊销列表",
    "crl-override.grant": "放行过期的吊销列表",
    "evaluation.attach": "上传佐证材料",
    "evaluation.detach": "删除佐证材料",
    "evaluation.draft": "新建专业评估",
    "expert.add": "登记评估专家",
    "expert.edit": "修改评估专家",
    "key-sign-in.refuse": "CA 密钥登录被拒",
    "key-sign-in.tls": "以 TLS 客户端证书登录",
    "keys.reindex": "更换索引密钥",
    "keys.rotate": "轮换加密密钥",
    "keys.rotate-session": "轮换会话密钥",
    "number.reveal": "查看完整证件号码",
    "opening-data.load": "载入期初数据",
    "opinion.finish": "提交专家意见",
    "panel.recuse": "评估专家回避",
    "panel.replace": "接替评估专家",
    "permission.request": "申请权限",
    "person.correct": "更正个人信息",
    "portal.initialise": "初始化平台",
    "person.delete": "删除个人信息",
    "person.export": "导出个人信息",
    "person.find": "查询个人信息",
    "policy.change": "更改规则设置",
    "roster.errors": "下载标错的名册",
    "roster.expire": "删除到期的名册文件",
    "roster.other-school": "告知学生在其他学校登记",
    "roster.resume": "继续处理名册",
    "roster.upload": "上传名册",
    "second-factor.codes": "换一组恢复码",
    "second-factor.off": "停用验证应用",
    "second-factor.on": "启用验证应用",
    "second-factor.passkey-off": "删除通行密钥",
    "second-factor.passkey-on": "添加通行密钥",
    "second-factor.recover": "使用恢复码",
    "second-factor.remove": "停用他人的第二重验证",
    "sign-in": "登录",
    "sign-in.end": "结束登录",
    "sign-in.end-others": "结束其他登录",
    "sign-in.refuse": "登录被拒",
    "sign-in.role": "切换身份",
    "sign-out": "退出",
    "specialty.choose-body": "选定评价机构",
    "submission.receipt": "下载回执文件",
    "submission.refuse": "签名提交被拒",
    "user.accept": "接受邀请",
    "user.create": "新建用户",
    "user.disable": "停用用户",
    "user.email": "设置邮箱",
    "user.email-remove": "删除邮箱",
    "user.enable": "启用用户",
    "user.end-sign-ins": "结束用户的登录",
    "user.invite": "发出邀请",
    "user.invite-revoke": "撤回邀请",
    "user.password": "更改密码",
    "user.roles": "更改身份",
    "window.end": "提前结束受理期",
    "window.open": "增开受理期",
    "workdays.load": "载入工作日",
}
# Who acted without being signed in.
AGENTS = MappingProxyType({"console": "命令行", "system": "系统", "anonymous": "未登录者"})
WORDS = MappingProxyType(
    _OTHERS
    | {
        f"{model.KIND}.{action.value}": f"{name}：{action.label}"
        for model, name, actions in _MOVES
        for action in actions
    }
)
