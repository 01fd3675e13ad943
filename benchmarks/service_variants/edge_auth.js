// The same work inside nginx, for comparison: form, signature, age; what is told of it to nginx for
// its log and the application, and what is counted for all workers.

import crypto from 'crypto';

const SECRET = process.env.BENCH_SECRET;
const MAX_AGE = 60;
const MAX_FUTURE = 5;
const FORM = /^([1-9][0-9]{0,11}),([A-Za-z0-9-]{1,16}),0x[0-9a-f]{64}$/;

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

function accepted(value) {
    const match = value && value.match(FORM);
    if (!match) {
        return null;
    }
    const comma = value.lastIndexOf(',');
    const expected = crypto.createHmac('sha256', SECRET).update(value.slice(0, comma)).digest('hex');
    if (!same(expected, value.slice(comma + 3))) {
        return null;
    }
    const age = Date.now() / 1000 - Number(match[1]);
    return -MAX_FUTURE <= age && age <= MAX_AGE ? { pop: match[2], age: Math.floor(age) } : null;
}

function decide(r) {
    const found = accepted(r.headersIn['Edge-Auth']);
    const reason = found ? 'ok' : 'refused';
    r.headersOut['X-EdgeAuth-Reason'] = reason;
    ngx.shared.counts.incr(reason, 1, 0);
    if (found) {
        r.headersOut['X-EdgeAuth-Key'] = 'default';
        r.headersOut['X-EdgeAuth-Pop'] = found.pop;
        r.headersOut['X-EdgeAuth-Age'] = String(found.age);
        ngx.shared.counts.incr('age ' + found.age, 1, 0);
    }
    r.return(found ? 204 : 403);
}

export default { decide };
