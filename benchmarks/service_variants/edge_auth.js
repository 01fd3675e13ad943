// The same check inside nginx, for comparison: form, signature, age.

import crypto from 'crypto';

const SECRET = process.env.BENCH_SECRET;
const MAX_AGE = 60;
const MAX_FUTURE = 5;
const FORM = /^([1-9][0-9]{0,11}),[A-Za-z0-9-]{1,16},0x[0-9a-f]{64}$/;

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
        return false;
    }
    const comma = value.lastIndexOf(',');
    const expected = crypto.createHmac('sha256', SECRET).update(value.slice(0, comma)).digest('hex');
    if (!same(expected, value.slice(comma + 3))) {
        return false;
    }
    const age = Date.now() / 1000 - Number(match[1]);
    return -MAX_FUTURE <= age && age <= MAX_AGE;
}

function decide(r) {
    r.return(accepted(r.headersIn['Edge-Auth']) ? 204 : 403);
}

export default { decide };
