// The same check of a message signature inside nginx, for comparison: form, signature, age, and once.

import crypto from 'crypto';

const SECRET = process.env.BENCH_SECRET;
const MAX_AGE = 60;
const MAX_FUTURE = 5;
const FORM = /^[a-z0-9-]+=(\("@method" "@authority" "@path" "@query"\);created=([0-9]+);keyid="default";nonce="([^"]+)")$/;
const SIGNATURE = /^[a-z0-9-]+=:([A-Za-z0-9+/=]+):$/;

function same(a, b) {
    if (a.length !== b.length) {
        return false;
    }
    let difference = 0;
    for (let i = 0; i < a.length; i++) {
        difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
    }
    return difference === 0;
}

function accepted(r) {
    const input = (r.headersIn['Signature-Input'] || '').match(FORM);
    const signature = (r.headersIn['Signature'] || '').match(SIGNATURE);
    if (!input || !signature) {
        return false;
    }
    const target = r.variables.request_uri;
    const mark = target.indexOf('?');
    const path = mark < 0 ? target : target.slice(0, mark);
    const query = mark < 0 ? '?' : target.slice(mark);
    const base = '"@method": ' + r.variables.request_method +
        '\n"@authority": ' + r.headersIn.Host.toLowerCase() +
        '\n"@path": ' + path + '\n"@query": ' + query +
        '\n"@signature-params": ' + input[1];
    const expected = crypto.createHmac('sha256', SECRET).update(base).digest('base64');
    if (!same(expected, signature[1])) {
        return false;
    }
    const age = Date.now() / 1000 - Number(input[2]);
    return -MAX_FUTURE <= age && age <= MAX_AGE && ngx.shared.seen.add(input[3], '');
}

function decide(r) {
    r.return(accepted(r) ? 204 : 403);
}

export default { decide };
