"""Maildirs as other servers left them: written by these servers, and copied here octet for octet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["COURIER", "DOVECOT", "DOVECOT_FS", "FIRST", "lay"]

#: When the first message of each came.
FIRST = 1_577_869_260

_MESSAGE = b"Subject: m\n\nbody\n"

#: Dovecot 2.3.19 with the ACL and quota plugins; five APPENDs, of which the second was expunged.
DOVECOT: Mapping[str, bytes] = {
    "cur/1795648240.M859282P8132.vm,S=18,W=21:2,": b"Subject: m0\n\nbody\n",
    "cur/1795648240.M879417P8132.vm,S=18,W=21:2,": b"Subject: m2\n\nbody\n",
    "cur/1795648240.M888938P8132.vm,S=18,W=21:2,Sac": b"Subject: m3\n\nbody\n",
    "cur/1795648240.M907311P8132.vm,S=18,W=21:2,": b"Subject: m4\n\nbody\n",
    "dovecot-keywords": b"0 $Forwarded\n1 Custom1\n2 Custom3\n",
    "dovecot-uidlist": (
        b"3 V1795648242 N5 Ge17e9d30f06a076bc41f000083ecc375\n"
        b"1 :1795648240.M859282P8132.vm,S=18,W=21\n"
        b"2 :1795648240.M864365P8132.vm,S=18,W=21\n"
        b"3 :1795648240.M879417P8132.vm,S=18,W=21\n"
        b"4 :1795648240.M888938P8132.vm,S=18,W=21\n"
        b"5 :1795648240.M907311P8132.vm,S=18,W=21\n"
    ),
    "dovecot-uidvalidity": b"6b076af4",
    "dovecot-uidvalidity.6b076af4": b"",
    "dovecot-acl-list": b"1795648240 lists.twisted\n",
    "maildirsize": b"104857600S,1000C\n0 0\n18 1\n18 1\n18 1\n18 1\n18 1\n17 1\n-18 -1\n",
    "subscriptions": b"V\t2\n\nSent\nlists\ttwisted\nR&AOk-sum&AOk-\nINBOX\n",
    ".Sent/maildirfolder": b"",
    ".Sent/dovecot-uidlist": b"3 V1795648240 N1 G4c5a3330f06a076bc41f000083ecc375\n",
    ".lists/dovecot-uidlist": b"3 V1795648241 N1 Ge07e9d30f06a076bc41f000083ecc375\n",
    ".lists.twisted/cur/1795648240.M918380P8132.vm,S=17,W=20:2,Fa": b"Subject: t\n\nbody\n",
    ".lists.twisted/dovecot-acl": b"group=staff klr\nuser=bob lr\n-user=eve l\n",
    ".lists.twisted/dovecot-keywords": b"0 NonJunk\n",
    ".lists.twisted/dovecot-uidlist": (
        b"3 V1795648243 N1 G30fcf631f06a076bc41f000083ecc375\n"
        b"1 :1795648240.M918380P8132.vm,S=17,W=20\n"
    ),
    ".R&AOk-sum&AOk-/dovecot-uidlist": b"3 V1795648244 N1 Gb8157332f06a076bc41f000083ecc375\n",
}

#: The same in its layout ``fs``.
DOVECOT_FS: Mapping[str, bytes] = {
    **{
        (
            path
            if not path.startswith(".")
            else path[1:].replace(".", "/", path.partition("/")[0].count(".") - 1)
        ): octets
        for path, octets in DOVECOT.items()
        if not path.endswith("maildirfolder")
    },
    "a.b/dovecot-uidlist": b"3 V1795648245 N1 Gb8157332f06a076bc41f000083ecc376\n",
}

#: Courier-IMAP 5.0.13; four APPENDs, of which the second was expunged.
COURIER: Mapping[str, bytes] = {
    "cur/1795648306.M592615P11093V000000000000FE00I000000000021C98A_0.vm,S=18:2,S": (
        b"Subject: m1\n\nbody\n"
    ),
    "cur/1795648309.M18586P11093V000000000000FE00I000000000021C92A_2.vm,S=18:2,": (
        b"Subject: m3\n\nbody\n"
    ),
    "cur/1795648310.M250480P11093V000000000000FE00I000000000021C932_3.vm,S=18:2,": (
        b"Subject: m4\n\nbody\n"
    ),
    "courierimapkeywords/:list": (
        b"Custom1\nNonJunk\n$Forwarded\n\n"
        b"1795648306.M592615P11093V000000000000FE00I000000000021C98A_0.vm,S=18:2 0\n"
        b"1795648309.M18586P11093V000000000000FE00I000000000021C92A_2.vm,S=18:0 1\n"
    ),
    (
        "courierimapkeywords/.5985495.1795648309.M18586P11093V000000000000FE00I000000000021C92A_2"
        ".vm,S=18"
    ): b"Custom1\nNonJunk\n",
    "courierimapsubscribed": "INBOX.Sent\nINBOX.lists.twisted\nINBOX.Résumé\n".encode(),
    "courierimapuiddb": (
        b"1 795648307 5\n"
        b"1 1795648306.M592615P11093V000000000000FE00I000000000021C98A_0.vm,S=18\n"
        b"3 1795648309.M18586P11093V000000000000FE00I000000000021C92A_2.vm,S=18\n"
        b"4 1795648310.M250480P11093V000000000000FE00I000000000021C932_3.vm,S=18\n"
    ),
    "courierimaphieracl/lists": b"owner aceilrstwx\nadministrators aceilrstwx\n",
    "maildirsize": b"1000000S,1000C\n           0            0\n",
    ".Résumé/courierimapuiddb": b"1 795648291 1\n",
    ".Sent/courierimapacl": b"owner aceilrstwx\nadministrators aceilrstwx\n",
    ".Sent/courierimapuiddb": b"1 795648289 1\n",
    ".lists.twisted/courierimapacl": (
        b"owner aceilrstwx\nadministrators aceilrstwx\nuser=bob lr\nanyone l\n"
    ),
    ".lists.twisted/courierimapuiddb": b"1 795648290 1\n",
}


def lay(tree: Mapping[str, bytes], root: Path) -> None:
    """Put such a tree on the disk; its messages came one minute after the other."""
    for path, octets in tree.items():
        place = root / path
        folder = place.parent
        if folder.name == "courierimaphieracl" or folder.name == "courierimapkeywords":
            folder.mkdir(parents=True, exist_ok=True)
        else:
            mailbox = folder.parent if folder.name == "cur" else folder
            for part in ("cur", "new", "tmp"):
                (mailbox / part).mkdir(parents=True, exist_ok=True)
        place.write_bytes(octets)
    for number, place in enumerate(sorted((root / "cur").iterdir())):
        moment = FIRST + 60 * number
        os.utime(place, (moment, moment))
