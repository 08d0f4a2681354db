<?php
// A program: Roundcube's rcube_imap_generic sets and reads what Roundcube's settings of a folder do.
// Its argument is the folder of that class; it reads from its standard input, as JSON: port, user,
// password, shared (a mailbox of another) and values; and tells what it found, as JSON.

$library = $argv[1];
require "$library/rcube_imap_generic.php";
$given = json_decode(stream_get_contents(STDIN), true);
$imap = new rcube_imap_generic();

function good($what, $answer)
{
    global $imap;
    if ($answer === false || $answer === null) {
        fwrite(STDERR, "$what: $imap->error\n");
        exit(1);
    }
    return $answer;
}

good('connect', $imap->connect('127.0.0.1', $given['user'], $given['password'], [
    'port' => $given['port'], 'auth_type' => 'LOGIN', 'timeout' => 20,
]));
good('createFolder', $imap->createFolder('Work'));
good('setMetadata', $imap->setMetadata('Work', $given['values']));
$found = ['set' => good('getMetadata', $imap->getMetadata('Work', array_keys($given['values'])))];
$found['deep'] = good('getMetadata', $imap->getMetadata('Work', '/private/vendor/kolab', ['depth' => 1]));
$found['small'] = good('getMetadata', $imap->getMetadata('Work', array_keys($given['values']), ['maxsize' => 8]));
good('deleteMetadata', $imap->deleteMetadata('Work', ['/private/comment']));
$found['left'] = good('getMetadata', $imap->getMetadata('Work', ['/private/comment', '/shared/comment']));
$found['server'] = good('getMetadata', $imap->getMetadata('', ['/shared/comment']));
$found['refused'] = $imap->setMetadata('', ['/shared/comment' => 'x']) ? '' : $imap->resultcode;

good('setACL', $imap->setACL('Work', 'bob', ['l', 'r', 's']));
$found['acl'] = array_map('implode', good('getACL', $imap->getACL('Work')));
$found['mine'] = implode(good('myRights', $imap->myRights($given['shared'])));
$found['grantable'] = good('listRights', $imap->listRights('Work', 'bob'));
$found['quota'] = good('getQuota', $imap->getQuota('INBOX'));
$imap->closeConnection();
print json_encode($found);
