"""Every bound on what one client can make the server hold or do, in one place."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Limits"]


@frozen
class Limits:
    """Bounds of one listener; each is enforced where the work is done."""

    #: Octets of one command line without its literals.  RFC 7162, 4 asks for
    #: at least 8192; Dovecot takes 65,536; some clients send 30 KB of ID or
    #: a UID set of a whole mailbox.
    line: int = 65_536

    #: Octets of one literal that is an argument (a name, a search string).
    literal: int = 65_536

    #: Octets of one whole command that is not a message upload.
    command: int = 1_048_576

    #: Octets of one line of the client's in an exchange (SASL): RFC 4616 and
    #: 5802 stay far below; tokens of RFC 7628 reach some KB.
    exchange_line: int = 12_288

    #: Octets a client may send before it has logged in, in one command.
    command_before_login: int = 16_384

    #: Octets of one message (APPEND).  Exim and Postfix default to 50 and 10 MB.
    message: int = 1 << 30

    #: Octets of the messages of one command held in memory while they come in; what
    #: goes beyond is spooled.
    spool: int = 262_144

    #: Messages of one APPEND (RFC 3502), and parts of one message in it (RFC 4469).
    #: Each message is a file that is open until all are stored; a digest of some
    #: hundred messages has twice as many parts.
    append_messages: int = 200
    append_parts: int = 2_000

    #: URLs of one GENURLAUTH or URLFETCH; each may open another user's account.
    urls: int = 100

    #: Messages that one command works on, and that one COPY or APPEND takes (RFC 9738);
    #: 0: as many as there are.  The RFC advises 1000 or more.
    messages: int = 0
    saved_messages: int = 0

    #: Parentheses inside parentheses, in one command.
    nesting: int = 32

    #: Members of one parenthesised list.
    list_length: int = 10_000

    #: Keywords of one message, and of a mailbox as STORE adds to them.  Each is told to
    #: every client that selects it; Cyrus stops at 128.
    keywords: int = 1_000

    #: Ranges of one sequence set.
    set_ranges: int = 20_000

    #: Patterns with wildcards in one LIST.  Each is tried on every name, so they
    #: multiply; nobody has been seen to send more than a dozen.
    list_patterns: int = 100

    #: Keys of one search program.  Clients that look messages up by Message-ID write
    #: some hundreds, joined by OR.
    search_keys: int = 2_000

    #: Strings of one search that are looked for in other forms (FUZZY).  Each takes a
    #: millisecond or two with a long message; people type one.
    fuzzy_strings: int = 20

    #: Ranges of the result that SEARCH RETURN (SAVE) keeps, about 120 octets each for
    #: as long as the mailbox is selected; neighbours in the mailbox are one range.
    saved_ranges: int = 50_000

    #: Results that one session is told of while they change (RFC 5267), and the messages in
    #: all of them, eight octets each, beyond which no more are taken.  Clients have one a view.
    contexts: int = 16
    context_messages: int = 500_000

    #: Mailboxes that one NOTIFY watches.  Each costs some hundred octets, and of a Maildir
    #: two looks at directories a second; accounts with more than 1,000 are rare.
    notify_mailboxes: int = 5_000

    #: Mailboxes that one ESEARCH looks through.  Each costs a look at the store, also when it
    #: is empty.
    search_mailboxes: int = 10_000

    #: Octets of a client's input that wait while a command runs; then the
    #: transport is paused.  mbsync sends 50 commands in one write.
    input: int = 131_072

    #: Octets of answers a client has not read; then the command waits.
    output: int = 262_144

    #: Commands in a row that could not be parsed before the connection ends.
    bad_commands: int = 20

    #: Failed log-ins before the connection ends.
    bad_logins: int = 5

    #: MIME parts of one message that are looked at; the rest is text.
    mime_parts: int = 1_000

    #: MIME parts inside parts.
    mime_depth: int = 50

    #: Octets of one header block that are parsed (RFC 5322 names no bound;
    #: Exim takes 1 MB).  What lies beyond is kept but not interpreted.
    mime_header: int = 1_048_576

    #: Octets of one annotation; annotations of one mailbox, of the server for one user, and of
    #: one message, those of one user and those that are shared; octets of all annotations of
    #: mailboxes of an account, and of all of its messages.  RFC 5464, 4.1 and RFC 5257, 4.1 ask
    #: for 1024 octets and 10 annotations at least; one value is a literal.
    metadata_value: int = 65_536
    metadata_entries: int = 100
    metadata: int = 1 << 24

    #: Characters of a mailbox name, and of one level of it in octets: file
    #: systems end at 255.
    mailbox_name: int = 1_000
    mailbox_level: int = 200

    #: Octets of a line of LMTP: RFC 5321, 4.5.3.1 has 512, and parameters and addresses in
    #: UTF-8 make it longer.
    lmtp_line: int = 4_096

    #: Recipients of one message by LMTP: RFC 5321, 4.5.3.1.8 has 100 at least; Postfix
    #: sends 50 at once.
    recipients: int = 1_000

    #: Seconds that an LMTP client has for a command: RFC 5321, 4.5.3.2.7 has 5 minutes.
    lmtp_timeout: float = 300.0

    #: Seconds without a command: RFC 9051, 5.4 asks for 30 minutes or more.
    idle_timeout: float = 1_860.0

    #: Seconds before log-in.
    login_timeout: float = 60.0

    #: Seconds a client may read nothing while answers wait for it.
    write_timeout: float = 300.0

    #: References of all messages that one THREAD follows, each of about 150 octets of memory
    #: while it runs if no message is what it names.
    thread_references: int = 3_000_000
