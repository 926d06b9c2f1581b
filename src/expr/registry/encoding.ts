/** Digests and encodings. */
import { createHash } from 'node:crypto';
import { exprErrors } from '../errors.ts';
import { functionRow, overload } from './overload.ts';
import type { FunctionRow } from './overload.ts';
import type { Value } from '../../core/index.ts';

const STRING = { returns: 'string' } as const;

function digest(name: string, algorithm: string, example: string): FunctionRow {
  const hash = (value: string | Uint8Array): string => createHash(algorithm).update(value).digest('hex');
  return functionRow(
    name,
    {
      category: 'string',
      doc: `The ${name} digest as lower-case hexadecimal digits; of text, that of its UTF-8.`,
      examples: { [`LEFT(${name}('abc'), 8)`]: example },
    },
    [overload(name, 'string', STRING, hash), overload(name, 'bytes', STRING, hash)],
  );
}

/** Text of base64. */
function fromBase64(text: string): Value {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1) {
    const problem = `'${text.slice(0, 50)}' is no base64`;
    throw exprErrors.create('MR-EXPR-ARGUMENT', { function: 'FROM_BASE64', problem });
  }
  return Buffer.from(text, 'base64').toString('utf8');
}

/** application/x-www-form-urlencoded, as java.net.URLEncoder: blanks become +, and * - . _ stay. */
function urlEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function urlDecode(text: string): Value {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function unhex(text: string): Value {
  return /^(?:[0-9a-fA-F]{2})*$/.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : null;
}

function hexOfLong(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16).toUpperCase();
}

export const encodingFunctions: readonly FunctionRow[] = [
  digest('MD5', 'md5', '"90015098"'),
  digest('SHA1', 'sha1', '"a9993e36"'),
  digest('SHA224', 'sha224', '"23097d22"'),
  digest('SHA256', 'sha256', '"ba7816bf"'),
  digest('SHA384', 'sha384', '"cb00753f"'),
  digest('SHA512', 'sha512', '"ddaf35a1"'),
  functionRow(
    'TO_BASE64',
    {
      category: 'string',
      doc: 'Base64 of bytes, or of the UTF-8 of text.',
      examples: { "TO_BASE64('hello')": '"aGVsbG8="' },
    },
    [
      overload('TO_BASE64', 'string', STRING, (text: string) => Buffer.from(text).toString('base64')),
      overload('TO_BASE64', 'bytes', STRING, (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')),
    ],
  ),
  functionRow(
    'FROM_BASE64',
    {
      category: 'string',
      doc: 'The text that base64 stands for; what is no base64 is a record error.',
      examples: { "FROM_BASE64('aGVsbG8=')": '"hello"' },
    },
    [overload('FROM_BASE64', 'string', { returns: 'string', canFail: true }, fromBase64)],
  ),
  functionRow(
    'URL_ENCODE',
    {
      category: 'string',
      doc: 'The text as application/x-www-form-urlencoded (UTF-8).',
      examples: { "URL_ENCODE('a b&c')": '"a+b%26c"' },
    },
    [overload('URL_ENCODE', 'string', STRING, urlEncode)],
  ),
  functionRow(
    'URL_DECODE',
    {
      category: 'string',
      doc: 'The text that URL_ENCODE made; NULL where it is malformed.',
      examples: { "URL_DECODE('a+b%26c')": '"a b&c"' },
    },
    [overload('URL_DECODE', 'string', { returns: 'string', nullable: true }, urlDecode)],
  ),
  functionRow(
    'HEX',
    {
      category: 'string',
      doc: "Upper-case hexadecimal digits: of an integer (64 bits, two's complement), of the UTF-8 of text, of bytes.",
      examples: { 'HEX(255)': '"FF"', "HEX('az')": '"617A"' },
    },
    [
      overload('HEX', 'long', STRING, hexOfLong),
      overload('HEX', 'string', STRING, (text: string) => Buffer.from(text).toString('hex').toUpperCase()),
      overload('HEX', 'bytes', STRING, (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase()),
    ],
  ),
  functionRow(
    'UNHEX',
    {
      category: 'string',
      doc: 'The bytes of hexadecimal digits; NULL where they are not pairs of digits.',
      examples: { "UNHEX('CAFE')": '0xcafe' },
    },
    [overload('UNHEX', 'string', { returns: 'bytes', nullable: true }, unhex)],
  ),
];
