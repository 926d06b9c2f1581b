/** JSON: a value of type json, or text that holds JSON. Text that is no JSON gives NULL (FALSE for JSON_EXISTS). */
import { exprErrors } from '../errors.ts';
import { formatJson, parseJson } from '../cast/json-node.ts';
import { boundOverload, functionRow, overload } from './overload.ts';
import { followPath, parseJsonPath } from './json-path.ts';
import type { ConstantProblem, Constants, FunctionRow, Overload } from './overload.ts';
import type { JsonNode } from '../cast/json-node.ts';
import type { JsonPath } from './json-path.ts';
import type { Value } from '../../core/index.ts';

/** A call site's memory of the last path that it read. */
function pathCache(name: string): (path: string) => JsonPath {
  let lastText: string | null = null;
  let last: JsonPath = [];
  return (text) => {
    if (text === lastText) return last;
    const path = parseJsonPath(text);
    if (typeof path === 'string') throw exprErrors.create('MR-EXPR-ARGUMENT', { function: name, problem: path });
    last = path;
    lastText = text;
    return path;
  };
}

function checkPath(constants: Constants): ConstantProblem | null {
  const path = constants[1];
  const parsed = typeof path === 'string' ? parseJsonPath(path) : [];
  return typeof parsed === 'string' ? { index: 1, message: parsed } : null;
}

function pathRow(
  name: string,
  doc: string,
  example: [string, string],
  returns: string,
  pick: (node: JsonNode | null) => Value,
): FunctionRow {
  const make = (param: string): Overload =>
    boundOverload(name, `${param}, string`, { returns, nullable: returns !== 'boolean', canFail: true }, () => {
      const compile = pathCache(name);
      return (text: string, path: string) => {
        const steps = compile(path);
        const root = parseJson(text);
        return pick(root === null ? null : followPath(root, steps));
      };
    });
  return functionRow(
    name,
    {
      category: 'json',
      doc,
      examples: { [example[0]]: example[1] },
      checkConstants: checkPath,
      syntax: `${name}(json, path)`,
    },
    [make('json'), make('string')],
  );
}

/** The text of a scalar; objects and arrays have none. */
function scalarText(node: JsonNode | null): Value {
  if (node === null) return null;
  switch (node.kind) {
    case 'string':
      return node.value;
    case 'number':
      return node.text;
    case 'boolean':
      return String(node.value);
    default:
      return null;
  }
}

function structureText(node: JsonNode | null): Value {
  return node !== null && (node.kind === 'object' || node.kind === 'array') ? formatJson(node) : null;
}

function member(text: string, key: string | number): JsonNode | null {
  const root = parseJson(text);
  if (root === null) return null;
  // A negative index counts from the end, as in PostgreSQL.
  const step = typeof key === 'number' && key < 0 && root.kind === 'array' ? root.items.length + key : key;
  return followPath(root, [step]);
}

function asText(node: JsonNode | null): Value {
  if (node === null || node.kind === 'null') return null;
  return scalarText(node) ?? formatJson(node);
}

function arrow(
  sign: string,
  name: string,
  doc: string,
  example: [string, string],
  returns: string,
  pick: (node: JsonNode | null) => Value,
): FunctionRow {
  const declaration = { returns, nullable: true } as const;
  return functionRow(
    sign,
    { category: 'json', doc, examples: { [example[0]]: example[1] }, syntax: `json ${sign} name, json ${sign} index` },
    [
      overload(name, 'json, string', declaration, (text: string, key: string) => pick(member(text, key))),
      overload(name, 'json, int', declaration, (text: string, index: number) => pick(member(text, index))),
      overload(name, 'string, string', declaration, (text: string, key: string) => pick(member(text, key))),
      overload(name, 'string, int', declaration, (text: string, index: number) => pick(member(text, index))),
    ],
  );
}

function lengthOf(text: string): Value {
  const root = parseJson(text);
  if (root?.kind === 'array') return root.items.length;
  return root?.kind === 'object' ? root.members.size : null;
}

export const jsonFunctions: readonly FunctionRow[] = [
  pathRow(
    'JSON_VALUE',
    'The scalar at a path, as text; NULL where there is none, or an object or array. CAST makes a number of it.',
    [`JSON_VALUE('{"a":{"b":[1,2]}}', '$.a.b[1]')`, '"2"'],
    'string',
    scalarText,
  ),
  pathRow(
    'JSON_QUERY',
    'The object or array at a path, as json; NULL where there is none, or a scalar.',
    [`JSON_QUERY('{"a":{"b":1}}', '$.a')`, String.raw`"{\"b\":1}"`],
    'json',
    structureText,
  ),
  pathRow(
    'JSON_EXISTS',
    'Whether there is something at a path (null counts).',
    [`JSON_EXISTS('{"a":null}', '$.a')`, 'true'],
    'boolean',
    (node) => node !== null,
  ),
  arrow(
    '->',
    'json_get',
    'The member of an object or element of an array (from 0; negative from the end), as json.',
    [`CAST('{"a":{"b":1}}' AS json) -> 'a'`, String.raw`"{\"b\":1}"`],
    'json',
    (node) => (node === null ? null : formatJson(node)),
  ),
  arrow(
    '->>',
    'json_get_text',
    'As ->, but as text: strings without their quotes; null is NULL.',
    [`CAST('{"a":"x"}' AS json) ->> 'a'`, '"x"'],
    'string',
    asText,
  ),
  functionRow(
    'JSON_LENGTH',
    {
      category: 'json',
      doc: 'The number of elements of an array or members of an object; NULL for anything else.',
      examples: { "JSON_LENGTH('[1,2,3]')": '3' },
    },
    [
      overload('JSON_LENGTH', 'json', { returns: 'int', nullable: true }, lengthOf),
      overload('JSON_LENGTH', 'string', { returns: 'int', nullable: true }, lengthOf),
    ],
  ),
  functionRow(
    'IS_JSON',
    {
      category: 'json',
      doc: 'Whether a text is JSON.',
      examples: { "IS_JSON('{}')": 'true', "IS_JSON('{')": 'false' },
    },
    [overload('IS_JSON', 'string', { returns: 'boolean' }, (text: string) => parseJson(text) !== null)],
  ),
];
