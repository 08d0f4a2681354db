# A program: Cyrus::IMAP::Admin, which cyradm is made of, sets and reads what administrators do.
# It reads from its standard input, as JSON: port, user, password; and tells what it found, as JSON.

use strict;
use warnings;
use JSON::PP;
use Cyrus::IMAP::Admin;

my $given = decode_json(do { local $/; <STDIN> });
my $imap = Cyrus::IMAP::Admin->new('127.0.0.1', $given->{port}) or die 'cannot connect';
$imap->authenticate(
    -mechanism => 'login', -user => $given->{user}, -password => $given->{password},
) or die 'cannot log in';

sub good {
    my ($what, @answer) = @_;
    die "$what: " . ($imap->error // 'no answer') if defined $imap->error;
    return @answer;
}

my %found;
good('create', $imap->create('Work'));
good('mboxconfig', $imap->mboxconfig('Work', 'comment', 'ours, for all'));
good('setinfo', $imap->setmetadata('Work', '/private/vendor/cmu/colour', '#ff8800'));
good('setinfo', $imap->setmetadata('Work', 'comment', 'mine alone'));
my @entries = qw(/shared/comment /private/comment /private/vendor/cmu/colour);
$found{set} = { good('getmetadata', $imap->getmetadata('Work', @entries)) };
good('setinfo', $imap->setmetadata('Work', 'comment', 'none'));
$found{left} = { good('getmetadata', $imap->getmetadata('Work', '/shared/comment')) };
$found{server} = { good('info', $imap->getmetadata('', '/shared/comment')) };
$found{refused} = defined $imap->setinfoserver('comment', 'x') ? '' : $imap->error;

good('setacl', $imap->setacl('Work', bob => 'read', carol => 'lrs'));
$found{acl} = { good('listacl', $imap->listacl('Work')) };
good('deleteacl', $imap->deleteacl('Work', 'carol'));
$found{acl_left} = { good('listacl', $imap->listacl('Work')) };

$found{quota} = [ good('quotaroot', $imap->quotaroot('INBOX')) ];
print encode_json(\%found);
