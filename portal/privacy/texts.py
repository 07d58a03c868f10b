"""The consent text that a fresh installation starts with (PIPL articles 13–17, 29). Communities may publish newer ones."""

from __future__ import annotations

from typing import Final

REGISTRATION: Final = "registration"

REGISTRATION_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "zh_Hans_CN": (
        "居民登记个人信息处理告知与同意",
        """一、谁处理您的信息
您所在的社区（居民委员会或其委托的物业服务单位）使用“邻里”系统处理您的个人信息。

二、收集什么、用来做什么
姓名、证件类型和号码：确认您是谁，避免重复登记。
手机号码：登录，以及在审核和访客到来时与您联系。
住址（楼栋、单元、房号）和居住关系：决定您的通行码可以打开哪些门。
通行记录：门禁设备、时间和结果，用于小区安全。

三、怎样保管
姓名、手机号码和证件号码加密保存，页面上默认只显示一部分；工作人员查看完整号码会留下记录。二维码和网址中不含个人信息。只有负责本小区的工作人员可以看到您的登记信息。除法律规定外，不向他人提供，不用于收费或推销。

四、保存多久
居住期间保存；您搬离或撤回同意后，除法律要求保留的以外予以删除。

五、您的权利
您可以查阅、复制、更正、删除您的信息，也可以随时撤回同意；撤回不影响撤回之前的处理。不同意登记不影响您使用人工登记的方式出入。请向社区工作人员提出。

六、未成年人
未满十四周岁的居民由监护人登记并同意。""",
    ),
    "en": (
        "Notice and consent: personal data for registration",
        """1. Who handles your data
Your community (the residents' committee or the property service it has engaged) handles your personal data with Linli.

2. What is collected, and what for
Name, type and number of your document: to know who you are and to avoid registering you twice.
Mobile number: to sign in, and to reach you about your registration and your visitors.
Dwelling (building, unit, number) and how you belong to it: to decide which doors your pass opens.
Passages: gate, time and result, for the safety of the community.

3. How it is kept
Name, mobile number and document number are stored encrypted and shown only in part; staff who look at a full number leave a record. QR codes and addresses of pages hold no personal data. Only staff in charge of your community see your registration. Except where the law demands it, nothing is passed on, charged for or used for advertising.

4. How long
As long as you live here; after you move out or withdraw your consent it is deleted, except what the law requires to be kept.

5. Your rights
You may see, copy, correct and delete your data, and withdraw your consent at any time; what was done before stays lawful. Without registering you may still come and go by signing in by hand at the gate. Turn to the staff of your community.

6. Children
Residents under 14 are registered by a guardian, who consents for them.""",
    ),
}
