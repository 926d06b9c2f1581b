export const YAML = 'application/yaml';
export const JSON_TYPE = 'application/json';
