// A program: node-imap, the older client of Node, reads and writes mail and tells what it found.
//
// It reads a JSON object from its standard input: port, security, certificate (PEM), user,
// password, and mail: a list of messages in base64.

const { readFileSync } = require('node:fs');
const { promisify } = require('node:util');
const Imap = require('imap');

const { port, security, certificate, user, password, mail } = JSON.parse(readFileSync(0, 'utf8'));
const octets = mail.map(text => Buffer.from(text, 'base64'));
const found = {};

function connected() {
    const client = new Imap({
        user,
        password,
        host: 'localhost',
        port,
        tls: security === 'tls',
        autotls: security === 'starttls' ? 'required' : 'never',
        tlsOptions: { ca: certificate, servername: 'localhost' }
    });
    return new Promise((resolve, reject) => {
        client.once('ready', () => resolve(client));
        client.once('error', reject);
        client.connect();
    });
}

const call = (client, name, ...given) => promisify(client[name]).call(client, ...given);

function event(client, name) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ${name}`)), 10000);
        client.once(name, (...told) => {
            clearTimeout(timer);
            resolve(told);
        });
    });
}

/** The messages of a source, with one section of each. */
function fetched(client, source, options) {
    return new Promise((resolve, reject) => {
        const messages = [];
        const fetch = client.fetch(source, options);
        fetch.on('message', message => {
            const got = { body: '' };
            messages.push(got);
            message.on('body', stream => {
                const chunks = [];
                stream.on('data', chunk => chunks.push(chunk));
                stream.once('end', () => (got.body = Buffer.concat(chunks).toString('base64')));
            });
            message.once('attributes', attributes => Object.assign(got, attributes));
        });
        fetch.once('error', reject);
        fetch.once('end', () => resolve(messages));
    });
}

async function main() {
    const client = await connected();
    await call(client, 'addBox', 'Entwürfe/日本');
    await call(client, 'subscribeBox', 'Entwürfe/日本');
    found.boxes = Object.keys(await call(client, 'getBoxes')).sort();
    found.subscribed = Object.keys(await call(client, 'getSubscribedBoxes')).sort();
    for (const each of octets) {
        await call(client, 'append', each, { mailbox: 'INBOX', flags: ['Seen'], date: new Date('2021-02-03T04:05:06Z') });
    }
    const status = await call(client, 'status', 'INBOX');
    found.status = [status.messages.total, status.messages.unseen, status.uidnext];
    const box = await call(client, 'openBox', 'INBOX');
    found.opened = [box.messages.total, box.uidnext, box.newKeywords];
    found.messages = await fetched(client, '1:*', { bodies: '', struct: true, envelope: true, size: true });
    found.search = await call(client, 'search', ['SEEN', ['HEADER', 'Message-ID', found.messages[1].envelope.messageId]]);
    found.eightBit = await call(client, 'search', [['SUBJECT', 'Grüße'], ['OR', 'SEEN', 'UNFLAGGED']]);
    await call(client, 'addFlags', [1], 'Flagged');
    await call(client, 'addKeywords', [1, 2], 'Mine');
    await call(client, 'delFlags', '2', 'Seen');
    found.flags = (await fetched(client, '1:*', {})).map(({ flags }) => flags);
    await call(client, 'copy', '1', 'Entwürfe/日本');
    await call(client, 'move', '2', 'Entwürfe/日本');
    found.left = await call(client, 'search', ['ALL']);

    // It idles whenever it has nothing to do.
    const told = event(client, 'mail');
    const other = await connected();
    await call(other, 'append', octets[0], { mailbox: 'INBOX' });
    found.told = await told;
    const gone = event(client, 'expunge');
    await call(other, 'openBox', 'INBOX');
    await call(other, 'addFlags', '1', 'Deleted');
    await call(other, 'expunge', '1');
    found.gone = await gone;
    other.end();
    await call(client, 'closeBox', false);
    const end = event(client, 'close');
    client.end();
    await end;
    process.stdout.write(JSON.stringify(found));
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});
