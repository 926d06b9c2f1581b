export { builtInFormats } from './built-in-formats.ts';
export { viewOf } from './byte-view.ts';
export { csvHeader } from './csv/csv-encoder.ts';
export { csvDialect } from './csv/csv-options.ts';
export { formatErrors } from './errors.ts';
export { formatNamed } from './format-named.ts';
export { parseJsonValue } from './json/parse-json-value.ts';
