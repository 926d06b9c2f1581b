export { countCheck, countJest, formatCounts, sumCounts, type Counts, type JestReport } from './counts.ts';
export { engineAnswers } from './engine-answers.ts';
