"""Words of the language, to make octets that look like it."""

from __future__ import annotations

__all__ = ["WORDS"]

WORDS = tuple(
    b"""a |b |\r\n|\n| |NOOP|CAPABILITY|LOGOUT|LOGIN alice secret\r\n|AUTHENTICATE PLAIN|AUTHENTICATE LOGIN|
AGFsaWNlAHNlY3JldA==\r\n|STARTTLS|ENABLE IMAP4rev2|SELECT INBOX\r\n|EXAMINE INBOX\r\n|CREATE |DELETE |RENAME |
SUBSCRIBE |LIST |LSUB |STATUS INBOX |NAMESPACE|APPEND INBOX |IDLE|DONE\r\n|CLOSE|UNSELECT|EXPUNGE|UID |
SEARCH |FETCH 1:* |STORE 1:* |COPY 1 INBOX|MOVE 1 INBOX|UID EXPUNGE 1:*|FLAGS |+FLAGS |-FLAGS.SILENT |
(\\Seen \\Deleted)|$Kw |BODY[]|BODY.PEEK[HEADER.FIELDS (Subject)]|BODY[1.MIME]|BODY[TEXT]|<0.5>|BINARY[1]|
BINARY.SIZE[2]|BODYSTRUCTURE|ENVELOPE|INTERNALDATE|RFC822|RFC822.SIZE|UID|FLAGS|ALL|FULL|(|)|[|]|"|\\|*|
%|{5}\r\n|{5+}\r\n|~{3+}\r\n|{0}\r\n|{999999999999}\r\n|{-1}|1|0|4294967295|4294967296|1:*|*:1|$|,|:|.|/|
INBOX|&BBAE-|&AOk-|&|\x00|\xff|\xc3\xa9|"a\\"b"|NIL|OR |NOT |SUBJECT x|RETURN (SAVE)|RETURN (MIN MAX ALL)|
RETURN (PARTIAL -1:-5)| (PARTIAL 1:2)|UIDBATCHES 500|UIDBATCHES 500 1:2|SAVEDATE|SAVEDSINCE 1-Jan-2020|
SORT |SORT (REVERSE DATE SUBJECT) UTF-8 ALL|RETURN (COUNT) (SIZE) UTF-8 |(DISPLAYFROM CC) US-ASCII |
THREAD |UID THREAD REFERENCES UTF-8 ALL\r\n|THREAD REFS US-ASCII |THREAD ORDEREDSUBJECT UTF-8 1:2|
RETURN (UPDATE CONTEXT)|RETURN (UPDATE (FLAGS UID) ALL)|CANCELUPDATE |"a"|
SAVEDATESUPPORTED|EMAILID|THREADID|EMAILID Mab|THREADID Tab|MAILBOXID|UIDAFTER 1|UIDBEFORE 4294967295|
PREVIEW|PREVIEW (LAZY)|FUZZY |RETURN (RELEVANCY ALL) |FILTER x |/private/filters/values/x |
ESEARCH IN (personal) |ESEARCH |IN (selected mailboxes (INBOX "x")) |subtree-one |
"FILTER y"|OLDER 5|YOUNGER 4294967295|
CHARSET UTF-8 |SINCE 1-Jan-2020|KEYWORD x|HEADER x y|LARGER 5|"17-Jul-1996 02:44:25 -0700" |MESSAGES|
UIDNEXT|SUBSCRIBED|RETURN (CHILDREN)|SPECIAL-USE|=\r\n|*\r\n|Content-Type: |multipart/mixed; boundary=x|
APPEND INBOX CATENATE (|TEXT {3+}\r\nabc|URL "/INBOX/;UID=1"|URL |;UID=1/;SECTION=1/;PARTIAL=0.5|
REPLACE 1 INBOX |UID REPLACE 2 INBOX |GENURLAUTH |URLFETCH |RESETKEY INBOX|RESETKEY\r\n| INTERNAL|
SETACL |DELETEACL |GETACL |LISTRIGHTS |MYRIGHTS |bob |-anyone |+lrswcda|"Other Users/|Shared/|
STORE 1:* ANNOTATION (|FETCH 1:* (ANNOTATION (|SEARCH ANNOTATION |/comment|/1/flags/seen|/*|
 (value.priv "1" value.shared NIL)|value.priv|(value size)|APPEND INBOX ANNOTATION (/a (value.priv |
SELECT INBOX (ANNOTATE)\r\n|SORT (ANNOTATION /a value.priv) UTF-8 ALL|~{1+}\r\nx|
RETURN (MYRIGHTS)|ID ("name" "x")|LANGUAGE de|LANGUAGE |COMPARATOR "i;*"|UNAUTHENTICATE|
GETQUOTA alice|GETQUOTAROOT INBOX|SETQUOTA alice (|STORAGE 5|MAILBOX 0|APPENDLIMIT DELETED-STORAGE|
GETMETADATA |SETMETADATA INBOX (|(DEPTH infinity MAXSIZE 5) |/private/comment |/shared/vendor/a/b |
RETURN (METADATA (/private/comment))|ENABLE UTF8=ACCEPT|ENABLE METADATA|
NOTIFY SET (|NOTIFY NONE|personal (MessageNew MessageExpunge)|selected (FlagChange |mailboxes INBOX |
MailboxMetadataChange|ServerMetadataChange|UTF8 (~{3+}\r\nabc)|
imap://alice@h/INBOX/;uid=1;urlauth=anonymous|;EXPIRE=2030-01-02T03:04:05Z|:internal:|BODYPARTSTRUCTURE|
\r\n--x\r\n|--x--|message/rfc822|text/plain; charset="utf-8"|
Message-ID: <"a"@b>|References: <a@b> <c@d>|In-Reply-To: |<a@b>|
Subject: |From: A <a@b>, "x" <y@z>;|=?utf-8?q?=E9?=|
To: g: a@b, (c) d;|Content-Transfer-Encoding: base64|
LHLO x\r\n|MAIL FROM:<|MAIL FROM:<>\r\n|RCPT TO:<alice>\r\n|RCPT TO:<|@example.org>| SIZE=| BODY=BINARYMIME|
 SMTPUTF8|DATA\r\n|\r\n.\r\n|\n.\r\n|\r\n..|BDAT 5\r\n|BDAT 3 LAST\r\nabc|BDAT |RSET\r\n|QUIT\r\n|VRFY |
Content-Disposition: attachment; filename*0*=u''x|\t""".replace(
        b"|\n", b"|"
    )
    .split(b"|")
)  # fmt: skip
