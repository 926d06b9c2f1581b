/** What the compiler does not see. Layering, bans and limits are judged by scripts/house. */
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['dist/**', 'node_modules/**', '**/target/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'prefer-const': 'error',
      'no-var': 'error',
      'no-eval': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // What follows is a matter of taste here, not of correctness.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unnecessary-template-expression': 'off',
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      // Slow, and about enums, which the compiler refuses, and a kind of class that is not here.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // A parameter that is used once may still name what a caller has to say.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // A method of a contract is async so that what it throws becomes a rejection.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // The home of generated code: the only file that makes functions of text.
    files: ['src/core/code-builder.ts'],
    rules: { '@typescript-eslint/no-implied-eval': 'off' },
  },
  {
    // Tests print what they compare, and take contracts apart.
    files: ['**/*.test.ts', '**/fixtures/**', 'src/testing/**'],
    rules: { '@typescript-eslint/no-base-to-string': 'off', '@typescript-eslint/unbound-method': 'off' },
  },
);
