/** One project per speed class: units run anywhere, integration needs real services. */
const shared = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2024', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json', 'node'],
  setupFiles: ['<rootDir>/scripts/test/seed-properties.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '/target/'],
};

export default {
  testTimeout: 30_000,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/{src,scripts,bench}/**/*.test.ts'] },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/integration/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/integration/containers/'],
      setupFilesAfterEnv: ['<rootDir>/integration/environment/after-suite.ts'],
      globalSetup: '<rootDir>/integration/environment/global-setup.ts',
      globalTeardown: '<rootDir>/integration/environment/global-teardown.ts',
    },
    {
      ...shared,
      displayName: 'containers',
      testMatch: ['<rootDir>/integration/containers/**/*.test.ts'],
      globalSetup: '<rootDir>/integration/containers/global-setup.ts',
      globalTeardown: '<rootDir>/integration/containers/global-teardown.ts',
    },
  ],
};
