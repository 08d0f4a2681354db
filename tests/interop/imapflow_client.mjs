// A program: ImapFlow reads and writes mail and tells what it found, as JSON.
//
// It reads a JSON object from its standard input: host, port, security, certificate (PEM),
// user, password, folders, mail: a list of messages in base64; and what to do: `converse`,
// or `idle` or `resynchronise`, for which INBOX has messages.

import { readFileSync } from 'node:fs';
import { ImapFlow } from 'imapflow';

const { what, host, port, security, certificate, user, password, folders, mail } = JSON.parse(
    readFileSync(0, 'utf8')
);
const octets = mail.map(text => Buffer.from(text, 'base64'));
const found = { errors: [] };

async function connected(options = {}) {
    const client = new ImapFlow({
        host,
        port,
        secure: security === 'tls',
        doSTARTTLS: security === 'starttls' ? true : security === 'plain' ? false : undefined,
        tls: { ca: certificate },
        auth: { user, pass: password },
        logger: false,
        ...options
    });
    client.on('error', error => found.errors.push(String(error)));
    await client.connect();
    return client;
}

async function contents(stream) {
    const chunks = [];
    for await (const chunk of stream) {
        chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('base64');
}

/** The next event of a name, or null when none has come for ten seconds. */
function event(client, name) {
    return new Promise(resolve => {
        const timer = setTimeout(() => resolve(null), 10000);
        client.once(name, told => {
            clearTimeout(timer);
            resolve(told);
        });
    });
}

async function converse() {
    const client = await connected();
    found.capabilities = [...client.capabilities.keys()];
    found.enabled = [...client.enabled];
    found.secure = client.secureConnection;
    found.compressed = Boolean(client._deflate);

    // Folders.
    for (const path of folders) {
        await client.mailboxCreate(path);
    }
    found.createdAgain = (await client.mailboxCreate(folders[0])).created;
    await client.mailboxSubscribe(folders[1]);
    await client.append('INBOX', octets[0], ['\\Seen', '$Label'], new Date('2020-02-03T04:05:06Z'));
    found.appended = [];
    for (const each of octets.slice(1)) {
        found.appended.push((await client.append('INBOX', each)).uid);
    }
    found.list = (await client.list({ statusQuery: { messages: true, unseen: true, uidNext: true } })).map(
        ({ path, delimiter, flags, specialUse, subscribed, status }) => ({
            path,
            delimiter,
            flags: [...flags],
            specialUse,
            subscribed,
            status
        })
    );
    found.status = await client.status('INBOX', {
        messages: true,
        recent: true,
        uidNext: true,
        uidValidity: true,
        unseen: true,
        highestModseq: true
    });

    // Messages.
    const lock = await client.getMailboxLock('INBOX');
    found.mailbox = { exists: client.mailbox.exists, path: client.mailbox.path };
    found.messages = [];
    for await (const message of client.fetch('1:*', {
        uid: true,
        flags: true,
        envelope: true,
        bodyStructure: true,
        internalDate: true,
        size: true,
        source: true,
        headers: ['message-id']
    })) {
        found.messages.push({
            ...message,
            flags: [...message.flags],
            headers: message.headers.toString('latin1'),
            source: message.source.toString('base64')
        });
    }
    found.one = (await client.fetchOne('1', { source: { start: 10, maxLength: 20 } })).source.toString('base64');
    found.downloads = {};
    for (const message of found.messages) {
        for (const node of message.bodyStructure.childNodes || []) {
            if (node.disposition === 'attachment') {
                for (const binary of [false, true]) {
                    const { meta, content } = await client.download(`${message.uid}`, node.part, { uid: true, binary });
                    found.downloads[`${message.seq}/${node.part}/${binary ? 'binary' : 'encoded'}`] = {
                        filename: meta.filename,
                        content: await contents(content)
                    };
                }
            }
        }
    }
    found.whole = await contents((await client.download('2')).content);

    // Searches.
    found.search = {
        seen: await client.search({ seen: true }),
        subject: await client.search({ subject: found.messages[1].envelope.subject }, { uid: true }),
        id: await client.search({ header: { 'message-id': found.messages[2].envelope.messageId } }),
        or: await client.search({ or: [{ keyword: '$Label' }, { uid: '3' }] }),
        not: await client.search({ not: { seen: true }, larger: 1, since: new Date('2020-02-04') }),
        none: await client.search({ body: 'nowhere to be found' })
    };

    // Flags, copies and moves.
    await client.messageFlagsAdd('2', ['\\Flagged', 'Mine']);
    await client.messageFlagsRemove({ seen: true }, ['\\Seen']);
    found.flags = (await client.fetchAll('1:*', { flags: true })).map(({ flags }) => [...flags]);
    found.copied = [...(await client.messageCopy('1:2', folders[0])).uidMap];
    found.moved = [...(await client.messageMove('1', folders[1])).uidMap];
    await client.messageDelete('1');
    found.left = await client.search({ all: true }, { uid: true });
    lock.release();

    // Away.
    found.renamed = (await client.mailboxRename(folders[0], `${folders[0]} 2`)).newPath;
    await client.mailboxUnsubscribe(folders[1]);
    found.deleted = (await client.mailboxDelete(folders[2])).path;
    found.opened = (await client.mailboxOpen(folders[1], { readOnly: true })).exists;
    await client.mailboxClose();
    await client.logout();
}

/** What another client does is told to one that idles. */
async function idle() {
    const client = await connected();
    await client.mailboxOpen('INBOX');
    const other = await connected();
    await other.mailboxOpen('INBOX');
    const idling = client.idle();
    const exists = event(client, 'exists');
    await other.append('INBOX', octets[0]);
    found.exists = await exists;
    const flags = event(client, 'flags');
    await other.messageFlagsAdd('1', ['\\Flagged']);
    const told = await flags;
    found.told = told && { seq: told.seq, flags: [...told.flags] };
    const expunge = event(client, 'expunge');
    await other.messageDelete('1');
    found.expunge = await expunge;
    await other.logout();
    await client.noop();
    await idling;
    await client.logout();
}

/** What has happened between two visits is told when the mailbox is opened again. */
async function resynchronise() {
    let client = await connected({ qresync: true });
    found.enabled = [...client.enabled];
    const { highestModseq, uidValidity } = await client.mailboxOpen('INBOX');
    await client.logout();

    const other = await connected();
    await other.mailboxOpen('INBOX');
    await other.messageDelete('2', { uid: true });
    await other.messageFlagsAdd('3', ['\\Flagged'], { uid: true });
    await other.append('INBOX', octets[0]);
    await other.logout();

    client = await connected({ qresync: true });
    const vanished = [];
    client.on('expunge', told => vanished.push({ uid: told.uid, vanished: told.vanished, earlier: told.earlier }));
    const box = await client.mailboxOpen('INBOX', { changedSince: highestModseq, uidValidity });
    found.exists = box.exists;
    // The next command asks for them once more.
    found.vanished = [...vanished];
    found.changed = (
        await client.fetchAll('1:*', { uid: true, flags: true }, { uid: true, changedSince: highestModseq })
    ).map(({ uid, flags, modseq }) => ({ uid, flags: [...flags], later: modseq > highestModseq }));
    found.conflict = await client.messageFlagsAdd('3', ['\\Seen'], { uid: true, unchangedSince: highestModseq });
    found.flags = [...(await client.fetchOne('3', { flags: true }, { uid: true })).flags];
    await client.logout();
}

await { converse, idle, resynchronise }[what]();
process.stdout.write(
    JSON.stringify(found, (key, value) => (typeof value === 'bigint' ? Number(value) : value))
);
