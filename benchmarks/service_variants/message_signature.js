// The same work for a message signature inside nginx, for comparison: form, signature, age and once;
// what is told of it, and what is counted.

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
        return null;
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
        return null;
    }
    const age = Date.now() / 1000 - Number(input[2]);
    const good = -MAX_FUTURE <= age && age <= MAX_AGE && ngx.shared.seen.add(input[3], '');
    return good ? { age: Math.floor(age) } : null;
}

function decide(r) {
    const found = accepted(r);
    const reason = found ? 'ok' : 'refused';
    r.headersOut['X-EdgeAuth-Reason'] = reason;
    ngx.shared.counts.incr(reason, 1, 0);
    if (found) {
        r.headersOut['X-EdgeAuth-Key'] = 'default';
        r.headersOut['X-EdgeAuth-Age'] = String(found.age);
        ngx.shared.counts.incr('age ' + found.age, 1, 0);
    }
    r.return(found ? 204 : 403);
}

export default { decide };
