/**
 * Compares every `from` with the ids of the file: what each step reads, whether all rows come from a source and go to a
 * sink. A reference that is misspelt counts as the step that was probably meant, so that one mistake is one problem.
 */
import { nearestName } from '../../core/index.ts';
import type { SplitBranch, StepInput, StepSpec } from './job-spec.ts';
import type { PlacedText } from './placed-text.ts';
import type { ProblemList } from './problem.ts';
import type { UnresolvedStep } from './read-step.ts';
import { shorten } from './map-reader.ts';
import type { TextRange } from './source-text.ts';

export function resolveSteps(
  steps: readonly UnresolvedStep[],
  stepsRange: TextRange,
  damaged: boolean,
  problems: ProblemList,
): readonly StepSpec[] {
  const names = new Names(steps, problems);
  const unique = steps.filter((step) => names.isFirst(step));
  const resolved = unique.map((step) => {
    const above = steps[steps.indexOf(step) - 1] ?? null;
    return { ...step.step, inputs: inputsOf(step, above, names, problems) };
  });
  const acyclic = breakCycles(resolved, problems);
  if (!damaged) checkEnds(acyclic, names, stepsRange, problems);
  return Object.freeze(acyclic.map((step) => Object.freeze(step)));
}

/** The streams that have names of their own: branches of a split, late rows of a window, sides of a process step. */
function branchesOf(step: UnresolvedStep['step']): readonly SplitBranch[] {
  if (step.kind === 'split') return step.branches;
  if (step.kind === 'process') return step.sides.map(({ branch }) => branch);
  return step.kind === 'aggregate' && step.window?.late != null ? [step.window.late] : [];
}

interface BranchOwner {
  readonly ownerId: string;
  readonly branch: SplitBranch;
}

/** Everything that `from` can name. */
class Names {
  readonly steps = new Map<string, UnresolvedStep>();
  readonly branches = new Map<string, BranchOwner>();
  readonly all: readonly string[];
  readonly #firsts = new Set<UnresolvedStep>();

  constructor(steps: readonly UnresolvedStep[], problems: ProblemList) {
    for (const step of steps) {
      const { id, idRange } = step.step;
      const first = this.steps.get(id);
      if (first === undefined) {
        this.steps.set(id, step);
        this.#firsts.add(step);
      } else {
        const { line } = problems.source.place(first.step.idRange);
        problems.add('MR-JOB-DUPLICATE-ID', idRange, { id, line }, { expected: 'an id of its own' });
      }
    }
    for (const { step } of this.#firsts) this.#addBranches(step.id, branchesOf(step), problems);
    const ids = [...this.steps].filter(([, step]) => step.hasId).map(([id]) => id);
    this.all = [...new Set([...ids, ...this.branches.keys()])];
  }

  #addBranches(ownerId: string, branches: readonly SplitBranch[], problems: ProblemList): void {
    for (const branch of branches) {
      const taken = this.branches.get(branch.name);
      const target = this.steps.get(branch.name)?.step;
      if (taken !== undefined) {
        const { line } = problems.source.place(taken.branch.nameRange);
        problems.add('MR-JOB-DUPLICATE-ID', branch.nameRange, { id: branch.name, line }, {
          expected: 'a branch of its own; a union puts branches together again',
        });
      } else if (branch.name === ownerId || target?.kind === 'source') {
        const problem = `the branch \`${branch.name}\` leads to a step that cannot read it`;
        problems.add('MR-JOB-FROM', branch.nameRange, { problem }, {
          expected: `a step behind \`${ownerId}\`, or a new name`,
        });
      } else {
        this.branches.set(branch.name, { ownerId, branch });
      }
    }
  }

  isFirst(step: UnresolvedStep): boolean {
    return this.#firsts.has(step);
  }
}

function inputsOf(
  step: UnresolvedStep,
  above: UnresolvedStep | null,
  names: Names,
  problems: ProblemList,
): readonly StepInput[] {
  const { kind, id, idRange, verbRange } = step.step;
  if (kind === 'source') {
    const first = step.from?.[0];
    if (first !== undefined) {
      problems.add('MR-JOB-FROM', first.range, { problem: 'a source reads no other step' }, { expected: 'no `from`' });
    }
    return [];
  }
  const branch = names.branches.get(id);
  if (step.from === null && branch !== undefined) {
    return [{ stepId: branch.ownerId, branch: id, range: branch.branch.nameRange }];
  }
  if (kind === 'union' || kind === 'join') return severalInputs(step, kind, names, problems);
  if (step.from === null) return inputAbove(step, above, problems);
  const inputs = step.from.map((name) => resolve(name, step, names, problems)).filter((input) => input !== null);
  if (step.from.length > 1 && kind !== 'broken') {
    const second = step.from[1]?.range ?? idRange;
    problems.add('MR-JOB-FROM', second, { problem: `\`${id}\` reads one step; several are put together by a union` }, {
      expected: 'one id, or a step with `union: true` in front',
    });
  }
  if (branch !== undefined && !inputs.some((input) => input.branch === id)) {
    const problem = `\`${id}\` is a branch of \`${branch.ownerId}\`, but its \`from\` names another step`;
    problems.add('MR-JOB-FROM', step.from[0]?.range ?? verbRange, { problem }, {
      expected: 'no `from`, or another name for the branch',
    });
  }
  // A step that could not be read may have been a join.
  return kind === 'broken' ? inputs : inputs.slice(0, 1);
}

/** At least two for a union, exactly two for a join. */
function severalInputs(
  step: UnresolvedStep,
  kind: 'union' | 'join',
  names: Names,
  problems: ProblemList,
): readonly StepInput[] {
  const given = step.from ?? [];
  const inputs: StepInput[] = [];
  for (const name of given) {
    const input = resolve(name, step, names, problems);
    if (input === null) continue;
    if (inputs.some((other) => other.stepId === input.stepId && other.branch === input.branch)) {
      const problem = `the ${kind} names \`${shorten(name.hideVariables(name.text))}\` twice`;
      problems.add('MR-JOB-FROM', name.range, { problem }, { expected: 'each step once' });
    } else {
      inputs.push(input);
    }
  }
  const isRight = kind === 'union' ? given.length >= 2 : given.length === 2;
  if (!isRight) {
    const count = kind === 'union' ? 'at least two' : 'two';
    const problem = `the ${kind} \`${step.step.id}\` needs the ids of ${count} steps`;
    const range = given[given.length > 2 ? 2 : 0]?.range ?? step.step.verbRange;
    problems.add('MR-JOB-FROM', range, { problem }, { expected: '`from: [a, b]`' });
  }
  return kind === 'join' ? inputs.slice(0, 2) : inputs;
}

/** `from` is left out: the step above in the file. */
function inputAbove(
  step: UnresolvedStep,
  above: UnresolvedStep | null,
  problems: ProblemList,
): readonly StepInput[] {
  const { id, idRange } = step.step;
  const kind = above?.step.kind;
  const known = step.hasId ? `\`${id}\`` : 'the step';
  if (above === null) {
    if (step.step.kind !== 'broken' && !step.damaged) {
      problems.add('MR-JOB-FROM', idRange, { problem: `${known} is the first step and reads no other` }, {
        expected: 'a source first, or a `from`',
      });
    }
    return [];
  }
  if (kind === 'sink' || kind === 'split') {
    const reason = kind === 'sink' ? 'is a sink and has no rows' : 'is a split and has several branches';
    const problem = `${known} has no \`from\`, and the step above, \`${above.step.id}\`, ${reason}`;
    const branches = above.step.kind === 'split' ? above.step.branches.map((branch) => branch.name) : [];
    problems.add('MR-JOB-FROM', idRange, { problem }, {
      expected: branches.length > 0 ? `\`from:\` with one of ${branches.join(', ')}` : '`from:` with the id of a step',
    });
    return [];
  }
  return [{ stepId: above.step.id, branch: null, range: idRange }];
}

function resolve(
  name: PlacedText,
  reader: UnresolvedStep,
  names: Names,
  problems: ProblemList,
): StepInput | null {
  let wanted = name.text;
  if (!names.all.includes(wanted)) {
    const others = names.all.filter((other) => other !== reader.step.id);
    const suggestion = nearestName(wanted, others);
    problems.add('MR-JOB-UNKNOWN-STEP', name.range, { id: name.hideVariables(shorten(wanted)) }, {
      expected: others.length === 0 ? null : `one of ${others.slice(0, 20).join(', ')}`,
      suggestion,
    });
    if (suggestion === null) return null;
    wanted = suggestion;
  }
  const step = names.steps.get(wanted)?.step;
  const branch = names.branches.get(wanted);
  if (step === undefined) {
    return branch === undefined ? null : { stepId: branch.ownerId, branch: wanted, range: name.range };
  }
  if (step.kind === 'sink') {
    const problem = `\`${wanted}\` is a sink and has no rows to read`;
    problems.add('MR-JOB-FROM', name.range, { problem }, { expected: 'the step that the sink reads' });
    return null;
  }
  if (step.kind !== 'split') return { stepId: wanted, branch: null, range: name.range };
  // A declared step that is a branch of this split may say so.
  const own = names.branches.get(reader.step.id);
  if (own?.ownerId === wanted) return { stepId: wanted, branch: reader.step.id, range: name.range };
  const problem = `\`${wanted}\` is a split: \`from\` names one of its branches`;
  const branches = step.branches.map((each) => each.name);
  problems.add('MR-JOB-FROM', name.range, { problem }, { expected: `one of ${branches.join(', ')}` });
  return null;
}

/** Reports every circle once and takes its last edge away, so that what follows can walk the steps. */
function breakCycles(steps: readonly StepSpec[], problems: ProblemList): readonly StepSpec[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const done = new Set<string>();
  const cut = new Set<StepInput>();
  for (const root of steps) {
    // Without recursion: a chain may be as long as the file allows.
    const path: { readonly step: StepSpec; next: number }[] = done.has(root.id) ? [] : [{ step: root, next: 0 }];
    const onPath = new Set<string>(path.map(({ step }) => step.id));
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const input = top.step.inputs[top.next++];
      if (input === undefined) {
        done.add(top.step.id);
        onPath.delete(top.step.id);
        path.pop();
        continue;
      }
      const target = byId.get(input.stepId);
      if (onPath.has(input.stepId)) {
        reportCycle(path.map(({ step }) => step.id), input, problems);
        cut.add(input);
      } else if (target !== undefined && !done.has(target.id)) {
        path.push({ step: target, next: 0 });
        onPath.add(target.id);
      }
    }
  }
  if (cut.size === 0) return steps;
  return steps.map((step) => ({ ...step, inputs: step.inputs.filter((input) => !cut.has(input)) }));
}

function reportCycle(path: readonly string[], input: StepInput, problems: ProblemList): void {
  const circle = path.slice(path.indexOf(input.stepId));
  const shown = [...circle, input.stepId].reverse().join(' → ');
  problems.add('MR-JOB-CYCLE', input.range, { path: shown }, { expected: 'a step above the circle' });
}

function checkEnds(steps: readonly StepSpec[], names: Names, range: TextRange, problems: ProblemList): void {
  // A step that could not be read may have been anything.
  const unclear = steps.some((step) => step.kind === 'broken');
  if (!unclear && !steps.some((step) => step.kind === 'source')) {
    problems.add('MR-JOB-NO-SOURCE', range, {}, { expected: 'a step with the verb `source`' });
  }
  if (!steps.some((step) => step.kind === 'sink')) {
    if (!unclear) problems.add('MR-JOB-NO-SINK', range, {}, { expected: 'a step with the verb `sink`' });
    return;
  }
  const readSteps = new Set<string>();
  const readBranches = new Set<string>();
  for (const { inputs } of steps) {
    for (const { stepId, branch } of inputs) (branch === null ? readSteps : readBranches).add(branch ?? stepId);
  }
  for (const step of steps) {
    for (const { name, nameRange } of branchesOf(step)) {
      // A name that is taken or cannot be has its problem.
      const isKnown = names.branches.get(name)?.ownerId === step.id;
      if (isKnown && !readBranches.has(name)) {
        unused(name, nameRange, problems, `a step with this id, or one with \`from: ${name}\``);
      }
    }
    if (step.kind !== 'split' && step.kind !== 'sink' && step.kind !== 'broken' && !readSteps.has(step.id)) {
      unused(step.id, step.idRange, problems);
    }
  }
}

function unused(
  id: string,
  range: TextRange,
  problems: ProblemList,
  expected = 'a step that reads it, such as a sink',
): void {
  problems.add('MR-JOB-UNUSED-STEP', range, { id }, { expected });
}
