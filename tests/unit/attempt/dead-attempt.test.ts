import { describe, expect, it } from 'vitest';

import { type Plan, PROTOCOL_VERSION, type Result } from '../../../src/attempt/attempt.pure.ts';
import type { AttemptKind, Became } from '../../../src/attempt/attempt-kind.ts';
import { Attempt } from '../../../src/attempt/attempt-machine.ts';
import { type Trace, TRACES } from '../../../src/attempt/attempt-phases.pure.ts';
import type { AttemptFiles } from '../../../src/attempt/files/attempt-directory.ts';
import type { Remains, Undoing } from '../../../src/attempt/take-back.ts';
import type { Reach } from '../../../src/executors/reach.ts';
import type { Environment } from '../../../src/ports/environment.ts';
import { idText } from '../../../src/run/document-id.ts';
import type { RunDocument } from '../../../src/run/run-document.port.ts';
import { storedRun } from '../run/documents.ts';

const ID = 'a'.repeat(24);
const OWN = 'd'.repeat(24);
const PLAN = {
  ...{ version: PROTOCOL_VERSION, attempt: ID, run: 5, place: `/staging/${ID}` },
  ...{ runDocument: OWN, outputDirectory: '/out', replaces: ['/out/5-old-hash'] },
} as unknown as Plan;
const FINISHED = { ok: true } as unknown as Result;

/** An attempt that is found dead, of a kind that says what became of it and notes what it is asked. */
class Stage {
  readonly done: string[] = [];
  readonly undone: Trace[] = [];
  remains: Remains | null = null;
  isConcluded = false;
  folders = [`/staging/${ID}/5-new-hash`, '/staging/5-old-hash'];
  readonly attempt: Attempt;

  constructor(
    readonly became: Became,
    { isAlive = false } = {},
  ) {
    const hooks = { onPhase: () => undefined, managerEnds: new AbortController().signal };
    const env = this.#environment(isAlive);
    this.attempt = new Attempt(env, { attempt: ID, kind: this.#kind() }, hooks);
  }

  advance(change: Partial<AttemptFiles> = {}, documents: readonly RunDocument[] = []) {
    const files: AttemptFiles = {
      ...{ id: ID, directory: '/attempt', plan: PLAN, started: null, result: null, exit: null },
      ...{ superseded: false, ending: null, publishing: null, concluded: false, problems: [] },
      ...change,
    };
    return this.attempt.advance({ kind: 'found_dead', files, documents });
  }

  #kind(): AttemptKind {
    const undo = (trace: Trace) => () => {
      this.undone.push(trace);
      return Promise.resolve([]);
    };
    return {
      ofDebt: false,
      undoing: Object.fromEntries(
        TRACES.map((trace) => [trace, undo(trace)]),
      ) as unknown as Undoing,
      concludedBy: () => this.isConcluded,
      becameOf: (_, __, remains) => {
        this.remains = remains;
        return this.became;
      },
      finish: () => {
        this.done.push('finished');
        return Promise.resolve(true);
      },
      told: (_, became) => ({ line: {}, message: became }),
    };
  }

  #environment(isAlive: boolean): Environment {
    const reach = {
      end: () => {
        this.done.push('processes ended');
        return Promise.resolve({ kind: 'ended' });
      },
      clean: () => Promise.resolve([]),
    } as unknown as Reach;
    const silent = () => undefined;
    return {
      host: 'here',
      log: { info: (_: unknown, message: string) => this.done.push(message), error: silent },
      clock: { monotonicSeconds: () => 0 },
      executor: { find: () => Promise.resolve(isAlive ? reach : null) },
      attempts: {
        directoryOf: () => '/attempt',
        foldersOf: () => Promise.resolve(this.folders.map((location) => ({ location }))),
        markConcluded: () => {
          this.done.push('marked');
          return Promise.resolve();
        },
      },
    } as unknown as Environment;
  }
}

describe('an attempt that is found dead', () => {
  it.each([
    ['unbegun', ['place']],
    ['done', ['folders', 'place']],
    ['kept', ['place']],
    ['lost', TRACES],
  ] as const)('and is %s leaves what its run needs of it, and no more', async (became, goes) => {
    const stage = new Stage(became);
    await stage.advance();
    expect(stage.undone).toEqual(goes);
    expect(stage.attempt.phase).toBe('taking_back');
    expect(stage.done).toEqual(became === 'done' ? ['finished', became] : [became]);
  });

  it('has its processes ended before anything is decided', async () => {
    const stage = new Stage('lost', { isAlive: true });
    await stage.advance();
    expect(stage.done).toEqual(['processes ended', 'lost']);
  });

  it('and never came to a plan has nothing taken back', async () => {
    const stage = new Stage('lost', { isAlive: true });
    await stage.advance({ plan: null });
    expect(stage.done).toEqual(['processes ended', 'marked']);
    expect(stage.undone).toEqual([]);
  });

  it('is judged by the document of its run alone, not by others of its number', async () => {
    const stage = new Stage('lost');
    const documents = [{ _id: OWN }, { _id: 'e'.repeat(24) }].map((each) => storedRun(each));
    await stage.advance({}, documents);
    expect(stage.remains?.documents.map(({ _id }) => idText(_id))).toEqual([OWN]);
    expect(stage.remains?.ids.map(idText)).toEqual([OWN]);
  });

  it('is judged by all of its number where an earlier release has not noted which is its own', async () => {
    const stage = new Stage('lost');
    const documents = [{ _id: OWN }, { _id: 'e'.repeat(24) }].map((each) => storedRun(each));
    await stage.advance({ plan: { ...PLAN, runDocument: null } }, documents);
    expect(stage.remains?.documents).toHaveLength(2);
  });

  it.each([
    ['finished, and nobody has concluded it', FINISHED, false, true],
    ['finished, and its run says what became of it', FINISHED, true, false],
    ['not finished', null, false, false],
  ])(
    'counts as whole only if it is finished and lost: %s',
    async (_, result, isConcluded, isWhole) => {
      const stage = new Stage('lost');
      stage.isConcluded = isConcluded;
      await stage.advance({ result }, [storedRun({ _id: OWN })]);
      expect(stage.remains).toMatchObject({ isWhole, isConcluded });
    },
  );

  it('has not begun what it was to replace', async () => {
    const stage = new Stage('lost');
    await stage.advance();
    expect(stage.remains?.begun).toEqual(['/out/5-new-hash']);
  });

  it('has no run, and whoever asks for it has made a mistake', () => {
    const { attempt } = new Stage('lost');
    expect(() => attempt.run).toThrow(`attempt ${ID} has no run: it was found dead`);
  });
});
