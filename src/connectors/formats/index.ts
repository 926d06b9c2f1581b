export { builtInFormats } from './built-in-formats.ts';
export { formatErrors } from './errors.ts';
export { formatNamed } from './format-named.ts';
export { parseJsonValue } from './json/parse-json-value.ts';
