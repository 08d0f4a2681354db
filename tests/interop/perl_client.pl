# A program: Mail::IMAPClient reads and writes mail and tells what it found, as JSON.
# It reads from its standard input, as JSON: port, security, certificate (a file), user,
# password, mail and correspondence: lists of messages in base64.

use strict;
use warnings;
use JSON::PP;
use Mail::IMAPClient;
use MIME::Base64;

my $given = decode_json(do { local $/; <STDIN> });
my @mail = map { decode_base64($_) } @{ $given->{mail} };
my $trust = [ SSL_ca_file => $given->{certificate}, SSL_verifycn_name => 'localhost' ];
my $imap = Mail::IMAPClient->new(
    Server   => 'localhost',
    Port     => $given->{port},
    User     => $given->{user},
    Password => $given->{password},
    Uid      => 1,
    $given->{security} eq 'tls'      ? (Ssl      => $trust) : (),
    $given->{security} eq 'starttls' ? (Starttls => $trust) : (),
) or die "cannot log in: $@";

my %found = (capabilities => [ sort map { "$_" } $imap->capability ]);

sub good {
    my ($what, $value) = @_;
    die "$what: " . ($imap->LastError // 'no answer') unless defined $value;
    return $value;
}

good('create', $imap->create('Work/2025'));
good('subscribe', $imap->subscribe('Work/2025'));
$found{folders}    = [ sort($imap->folders) ];
$found{subscribed} = [ sort($imap->subscribed) ];
$found{separator}  = $imap->separator;
$found{exists}     = $imap->exists('Work/2025') ? 1 : 0;
$found{appended}   = [ map { good('append', $imap->append('INBOX', $_)) } @mail ];
$found{count}      = good('message_count', $imap->message_count('INBOX'));
$found{unseen}     = good('unseen_count', $imap->unseen_count('INBOX') // 0);
good('select', $imap->select('INBOX'));
$found{messages}   = [ map { encode_base64(good('message_string', $imap->message_string($_)), '') } $imap->messages ];
$found{sizes}      = [ map { 0 + $imap->size($_) } $imap->messages ];
$found{headers}    = $imap->parse_headers(1, 'Message-ID', 'Subject');
$found{structure}  = good('structure', $imap->get_bodystructure(2))->bodytype;
$found{parts}      = [ sort($imap->get_bodystructure(2)->parts) ];
$found{envelope}   = good('envelope', $imap->get_envelope(1))->messageid;
$found{seen}       = [ map { 0 + $_ } $imap->seen ];
$found{search}     = [ map { 0 + $_ } $imap->search('HEADER', 'Message-ID', $imap->Quote($found{envelope})) ];
$found{sorted}     = [ map { 0 + $_ } $imap->sort('REVERSE SIZE', 'UTF-8', 'ALL') ];
good('set_flag', $imap->set_flag('Flagged', 1));
good('unset_flag', $imap->unset_flag('Seen', 2));
$found{flags}      = [ map { [ sort($imap->flags($_)) ] } $imap->messages ];
good('copy', $imap->copy('Work/2025', 1, 2));
good('move', $imap->move('Work/2025', 3));
good('delete_message', $imap->delete_message(2));
good('expunge', $imap->expunge);
$found{left}       = [ map { 0 + $_ } $imap->messages ];
good('idle', my $tag = $imap->idle);
good('done', $imap->done($tag));
good('examine', $imap->examine('Work/2025'));
$found{copied}     = $imap->message_count;
good('close', $imap->close);
good('rename', $imap->rename('Work/2025', 'Work/2026'));
good('create', $imap->create('Talk'));
good('append', $imap->append('Talk', decode_base64($_))) for @{ $given->{correspondence} };
good('select', $imap->select('Talk'));
$found{threads}    = [ map { $imap->thread($_, 'UTF-8', 'ALL') } qw(REFERENCES REFS ORDEREDSUBJECT) ];
good('close', $imap->close);
good('delete', $imap->delete('Talk'));
good('logout', $imap->logout);
print encode_json(\%found);
