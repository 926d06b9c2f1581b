export { BREAKS } from './breaks.ts';
export type { Break } from './breaks.ts';
export { runSimulation } from './run.ts';
export type { SimulationOptions, SimulationResult } from './run.ts';
