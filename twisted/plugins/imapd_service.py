from twisted.application.service import ServiceMaker

imapd = ServiceMaker("imapd", "imapd.service", "An IMAP server", "imapd")
