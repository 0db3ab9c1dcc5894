// Mutants of genuine receipts. A mutant is a function of the seed and its number alone.
//
// Some changes are to the file's bytes and most are inside of one part, with everything that depends on it made anew, so
// that the later steps are reached too.

import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { canonical, respelt } from './json.mjs';
import { Random } from './random.mjs';
import { LAYERS, parsed, repair, splitEntry } from './repair.mjs';

const GENUINE = fileURLToPath(new URL('../testdata/receipts/genuine/', import.meta.url));
/** Larger ones would be slow and hold nothing else. */
const MAX_SIZE = 8 * 1024;

const TEXTS = [
  '', ' ', '\0', '\n', '\r\n', '\u0085', '\u2028', '\u200b', '\u202e', '\ufeff', '\u00ad', '\ufe0f', '\u{e0041}',
  '\u{10ffff}', '\ud800', '\udc00', '\ud83d\ude00', 'e\u0301', '\u00e9', '\u0130', '\u212a', '\u017f', '\u0410', '\uff11',
  '+', '/', '=', '-', '_', '"', '\\', 'approve', 'reject', 'alex', 'sam', 'kim', '__proto__', 'constructor', 'true', 'null',
  'NaN', '0', '00', '-0', '1e3', '9'.repeat(30), '2026-02-29T12:00:00Z', '2024-02-29T23:59:60Z', '9999-12-31T23:59:59Z',
  '0000-01-01T00:00:00Z', '2026-03-01T12:00:00+00:00',
  'countersign/document/v1', 'countersign/decision/v1', 'https://approvals.example.com', 'https://approvals.example.com/',
  'approvals.example.com', 'webauthn.get', 'webauthn.create', 'ES256', 'RS256', 'A'.repeat(43), 'A'.repeat(86),
];
const NUMBERS = [
  0, 1, 2, 3, 32, 33, 64, -1, 0.5, 1e21, 5e-324, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, 2 ** 63, 2 ** 64,
  1e308,
];
const OTHERS = [null, true, false, [], {}, [[]], [null], { a: 1 }];

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} receipt
 * @property {string} trust
 * @property {string} decision  that is expected
 * @property {boolean} several  whether it has more than one decision
 */

/** The genuine receipts to start from. @returns {Case[]} */
export function genuineCases() {
  return readdirSync(GENUINE).sort().flatMap((name) => {
    const { receipt, trust, expectation } = JSON.parse(readFileSync(GENUINE + name, 'utf8'));
    if (typeof receipt !== 'string' || receipt.length > MAX_SIZE) return [];
    const several = JSON.parse(receipt).decisions.length > 1;
    return [{ name, receipt, trust, decision: expectation.decision ?? 'approve', several }];
  });
}

/**
 * @param {Case[]} cases
 * @param {string} seed
 * @param {number} number
 */
export function mutant(cases, seed, number) {
  const random = new Random(`${seed}/${number}`);
  // Only with several decisions there is much for the quorum to say, and few of the cases have them.
  const base = random.pick(random.chance(0.2) ? cases.filter((it) => it.several) : cases);
  const decision = random.chance(0.05) ? random.pick(['approve', 'reject']) : base.decision;
  const receipt = JSON.parse(base.receipt);
  const other = () => JSON.parse(random.pick(cases).receipt);
  const logKeys = JSON.parse(base.trust).logs;
  const kind = random.below(100);
  const times = random.chance(0.7) ? 1 : 2 + random.below(2);
  let bytes;
  if (kind < 10) {
    bytes = Buffer.from(base.receipt);
    for (let i = 0; i < times; i += 1) bytes = changedBytes(bytes, random);
  } else if (kind < 25) {
    for (let i = 0; i < times; i += 1) changeTree(receipt, random, other());
    bytes = Buffer.from(random.chance(0.5) ? canonical(receipt) : respelt(receipt, random, 60));
  } else {
    const layers = Array.from({ length: times }, () => changePart(receipt, random, other));
    const first = LAYERS.find((layer) => layers.includes(layer)) ?? 'document';
    if (random.chance(0.85)) repair(receipt, first, logKeys);
    bytes = Buffer.from(random.chance(0.97) ? canonical(receipt) : respelt(receipt, random, 100));
  }
  return { base: base.name, trust: base.trust, decision, bytes };
}

/**
 * Changes one part of a receipt inside and says which layer that is.
 *
 * @param {any} receipt
 * @param {Random} random
 * @param {() => any} other  another receipt, to take parts from
 * @returns {typeof LAYERS[number]}
 */
function changePart(receipt, random, other) {
  const parts = Array.isArray(receipt.decisions) ? receipt.decisions : [];
  const part = parts.length > 0 ? random.pick(parts) : undefined;
  if (part === null || typeof part !== 'object') return 'tree';
  switch (random.below(14)) {
    case 0: case 1:
      part.document = changedJson(part.document, random, other().decisions[0].document);
      return 'document';
    case 2:
      // The same in every decision, so that the votes still are about one thing.
      changeCores(parts, random);
      return 'document';
    case 3: case 4:
      return changeField(part, 'client_data_json', (text) => Buffer.from(changedJson(text.toString(), random)), 'signed');
    case 5:
      return changeField(part, 'client_data_json', (bytes) => changedBytes(bytes, random), 'signed');
    case 6: case 7:
      return changeField(part, 'authenticator_data', (bytes) => changedBytes(bytes, random), 'signed');
    case 8:
      return changeField(part, 'signature', (bytes) => changedBytes(bytes, random), 'signature');
    case 9:
      part.entry = changedEntry(part.entry, random, other().decisions[0].entry);
      return 'signature';
    case 10: {
      const enrolment = random.pick(receipt.enrolments);
      if (!enrolment) return 'tree';
      const key = /** @type {(bytes: Buffer) => Buffer} */ ((bytes) => changedBytes(bytes, random));
      if (random.chance(0.4)) return changeField(enrolment, 'public_key', key, 'entry');
      enrolment.entry = changedEntry(enrolment.entry, random, other().enrolments[0].entry);
      return 'entry';
    }
    case 11:
      changeList(
        random.pick([receipt.decisions, receipt.enrolments]), random, random.pick([other().decisions, other().enrolments]),
      );
      return 'document';
    case 12:
      changeTree(random.pick([part, random.pick(receipt.enrolments)]) ?? part, random, other().decisions[0]);
      return 'tree';
    default:
      receipt.checkpoint = changedBytes(Buffer.from(String(receipt.checkpoint)), random).toString();
      return 'checkpoint';
  }
}

/** @param {any[]} parts @param {Random} random */
function changeCores(parts, random) {
  const name = random.pick([
    'payload', 'payload', 'payload', 'payload', 'payload', 'action', 'approvers', 'expires_at', 'id', 'issued_at', 'log',
    'nonce', 'quorum', 'requester', 'reveal', 'use_by',
  ]);
  const first = parsed(parts[0]?.document);
  if (!first) return;
  const holder = { value: first[name] };
  changeTree(holder, random, holder);
  for (const part of parts) {
    const document = parsed(part?.document);
    if (document) part.document = canonical({ ...document, [name]: holder.value ?? null });
  }
}

/**
 * @param {any} part
 * @param {string} name  a field of its entry that is base64url
 * @param {(bytes: Buffer) => Buffer} change
 * @param {typeof LAYERS[number]} layer
 */
function changeField(part, name, change, layer) {
  const [line, json] = splitEntry(part.entry);
  const fields = parsed(json);
  if (typeof fields?.[name] !== 'string') return layer;
  fields[name] = change(Buffer.from(fields[name], 'base64url')).toString('base64url');
  part.entry = `${line}\n${canonical(fields)}`;
  return layer;
}

/** @param {string} entry @param {Random} random @param {string} other */
function changedEntry(entry, random, other) {
  const [line, json] = splitEntry(entry);
  if (random.chance(0.1)) return changedBytes(Buffer.from(String(entry)), random).toString();
  return `${line}\n${changedJson(json, random, splitEntry(other)[1])}`;
}

/**
 * JSON text with a change to its value or to its spelling.
 *
 * @param {any} text
 * @param {Random} random
 * @param {string} [other]  JSON to take members from
 */
function changedJson(text, random, other = '{}') {
  const value = parsed(text);
  if (!value || random.chance(0.1)) return changedBytes(Buffer.from(String(text)), random).toString();
  if (random.chance(0.25)) return respelt(value, random, 20);
  changeTree(value, random, parsed(other) ?? {});
  return random.chance(0.9) ? canonical(value) : JSON.stringify(value);
}

/** Changes one member anywhere in a tree. @param {any} tree @param {Random} random @param {any} other */
function changeTree(tree, random, other) {
  const places = placesOf(tree);
  if (places.length === 0) return;
  const { parent, key } = random.pick(places);
  const value = parent[key];
  switch (random.below(9)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      break;
    case 1:
      if (Array.isArray(parent)) changeList(parent, random, [value]);
      else parent[anyText(random)] = value;
      break;
    case 2: {
      const place = random.pick(places);
      [parent[key], place.parent[place.key]] = [place.parent[place.key], value];
      if (reaches(parent[key], parent) || reaches(place.parent[place.key], place.parent)) {
        [parent[key], place.parent[place.key]] = [value, parent[key]];
      }
      break;
    }
    case 3: {
      const from = placesOf(other).filter((place) => place.key === key);
      if (from.length > 0) {
        const place = random.pick(from);
        parent[key] = structuredClone(place.parent[place.key]);
      }
      break;
    }
    case 4:
      parent[key] = structuredClone(random.pick([anyText(random), anyNumber(random), anyTime(random), random.pick(OTHERS)]));
      break;
    default:
      parent[key] = changedValue(value, random);
  }
}

/** @param {any} value @param {Random} random @returns {any} */
function changedValue(value, random) {
  if (typeof value === 'string') return changedText(value, random);
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') {
    return random.pick([value + 1, value - 1, -value, value * 2, value + 0.5, anyNumber(random)]);
  }
  if (random.chance(0.5)) return structuredClone(random.pick(OTHERS));
  return { ...value, [anyText(random)]: anyNumber(random), [anyText(random)]: 1 };
}

/** @param {Random} random */
function anyText(random) {
  if (random.chance(0.5)) return random.pick(TEXTS);
  const limit = random.pick([0x80, 0x300, 0x3000, 0x10000, 0x110000]);
  return String.fromCodePoint(...Array.from({ length: 1 + random.below(4) }, () => random.below(limit)));
}

/** Any finite double, most of them of many digits, so that all must write numbers alike. @param {Random} random */
function anyNumber(random) {
  if (random.chance(0.3)) return random.pick(NUMBERS);
  const many = random.below(2 ** 32) * 2 ** 22 + random.below(2 ** 22);
  if (random.chance(0.3)) return many * 10 ** (random.below(30) - 25);
  const bytes = Buffer.from(Array.from({ length: 8 }, () => random.below(256)));
  const number = bytes.readDoubleBE();
  return Number.isFinite(number) ? number : 0;
}

/** A time that is often not in the calendar. @param {Random} random */
function anyTime(random) {
  const two = (/** @type {number} */ limit) => String(random.below(limit)).padStart(2, '0');
  const year = random.pick(['2026', '2024', '1900', '2000', '2100', '1970', '1969', '9999', '0000', '0001', '10000']);
  return `${year}-${two(14)}-${two(33)}T${two(26)}:${two(62)}:${two(62)}${random.pick(['Z', 'Z', 'Z', 'z', '', '.0Z'])}`;
}

/** @param {string} text @param {Random} random */
function changedText(text, random) {
  const at = random.below(text.length + 1);
  switch (random.below(6)) {
    case 0: return `${text.slice(0, at)}${anyText(random)}${text.slice(at)}`;
    case 1: return `${text.slice(0, at)}${anyText(random)}${text.slice(at + 1)}`;
    case 2: return spareBits(text, random);
    case 3:
      return random.pick([text.toUpperCase(), text.toLowerCase(), text.normalize('NFD'), `${text}=`, text.slice(0, at)]);
    case 4: return text.replace(/\d/, () => String(random.below(10)));
    default: return `${text.slice(0, at)}${random.pick([...'0189aAzZ-_.:'])}${text.slice(at + 1)}`;
  }
}

/**
 * Another last character of base64url, which often only differs in bits that nobody reads.
 *
 * @param {string} text
 * @param {Random} random
 */
function spareBits(text, random) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(text.slice(-1));
  return last < 0 ? `${text}A` : text.slice(0, -1) + alphabet[last ^ (1 << random.below(4))];
}

/** @param {any} list @param {Random} random @param {any[]} more */
function changeList(list, random, more) {
  if (!Array.isArray(list)) return;
  const at = random.below(list.length + 1);
  switch (random.below(4)) {
    case 0: list.splice(at, 1); break;
    case 1: list.splice(at, 0, structuredClone(list[random.below(list.length)] ?? null)); break;
    case 2: list.reverse(); break;
    default: list.splice(at, 0, structuredClone(random.pick(more) ?? null));
  }
}

/** Bytes with one change. @param {Buffer} bytes @param {Random} random @returns {Buffer} */
function changedBytes(bytes, random) {
  const at = random.below(bytes.length + 1);
  const length = 1 + random.below(random.pick([1, 4, 40]));
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(8)) {
    case 0: case 1: case 2: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] ^= 1 << random.below(8);
      return flipped;
    }
    case 3: return Buffer.concat([before, Buffer.of(random.below(256)), after]);
    case 4: return Buffer.concat([before, Buffer.from(random.pick(TEXTS)), after]);
    case 5: return Buffer.concat([before, after.subarray(length)]);
    case 6: return Buffer.concat([before, after.subarray(0, length), after]);
    default: return random.chance(0.5) ? before : Buffer.concat([before, Buffer.of(random.below(256)), after.subarray(1)]);
  }
}

/** Every member of every array and object of a tree. @param {any} tree @returns {{parent: any, key: string}[]} */
function placesOf(tree) {
  if (tree === null || typeof tree !== 'object') return [];
  return Object.keys(tree).flatMap((key) => [{ parent: tree, key }, ...placesOf(tree[key])]);
}

/** Whether a tree holds this node. @param {any} tree @param {any} node @returns {boolean} */
function reaches(tree, node) {
  return tree === node || (tree !== null && typeof tree === 'object' && Object.values(tree).some((it) => reaches(it, node)));
}
