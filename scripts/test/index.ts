export { countCheck, countJest, formatCounts, sumCounts, type Counts, type JestReport } from './counts.ts';
