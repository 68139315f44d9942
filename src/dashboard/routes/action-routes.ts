import { z } from 'zod';

import { act, preview } from '../../features/actions/act.ts';
import type { Ask, Target, Tools } from '../../features/actions/action.ts';
import {
  ACTION_KINDS,
  type ActionKind,
  actionRow,
} from '../../features/actions/action-table.pure.ts';
import type {
  ActionEffect,
  ActionsAnswer,
  ActionTarget,
  ActionView,
  AuditAnswer,
  PreviewAnswer,
} from '../../readmodel/action-api.ts';
import { attentionNow } from '../../readmodel/readings.ts';
import type { DashboardApp } from '../access/principal.ts';
import { actionView } from '../action-view.ts';
import { Refusal } from '../request-refusal.ts';
import { route } from '../route.ts';
import type { Surroundings } from '../surroundings.ts';
import { wakeManager } from '../wake-manager.ts';

const MOST_TARGETS = 200;
const MOST_REASON = 1000;
/** What a person sees of one thing. */
const MOST_SEEN = 4000;
const MOST_HOURS = 24 * 365;
const ACTIONS_PER_PAGE = 50;
const MOST_PER_PAGE = 200;
const MOST_RUN = 9_999_999;

const noControls = (text: string) => !/\p{Cc}/u.test(text);
const name = z.string().min(1).max(400).refine(noControls, 'has control characters');
const kind = z.enum(ACTION_KINDS);

const target = {
  run: z.int().min(0).max(MOST_RUN).optional(),
  host: name.optional(),
  item: name.optional(),
};
/** As it comes from outside. */
interface Given {
  run?: number | undefined;
  host?: string | undefined;
  item?: string | undefined;
}

const isOne = ({ run, host, item }: Given) =>
  [run, host, item].filter((each) => each !== undefined).length === 1;
const ONE = 'names exactly one of run, host and item';

/** How a run is processed again. */
const requests = { keep: z.boolean().optional(), on: z.enum(['local', 'slurm']).optional() };
type Requests = z.infer<z.ZodObject<typeof requests>>;

const mayRequest = ({ keep, on, ...action }: Requests & { kind: string }) =>
  (keep === undefined && on === undefined) || action.kind === 'reprocess';
const REQUESTS = 'keep is for reprocess, and so is on';

const previewBody = z
  .strictObject({
    kind,
    targets: z.array(z.strictObject(target).refine(isOne, ONE)).min(1).max(MOST_TARGETS),
    ...requests,
  })
  .refine(mayRequest, REQUESTS);

const actionBody = z
  .strictObject({
    kind,
    reason: z
      .string()
      .trim()
      .min(1, 'is empty: those who read it later need one')
      .max(MOST_REASON)
      .refine((text) => !/[^\P{Cc}\n\t]/u.test(text), 'has control characters'),
    targets: z
      .array(z.strictObject({ ...target, seen: z.string().max(MOST_SEEN) }).refine(isOne, ONE))
      .min(1)
      .max(MOST_TARGETS),
    hours: z.number().positive().max(MOST_HOURS).optional(),
    ...requests,
  })
  .refine(mayRequest, REQUESTS);

const CURSOR = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_([0-9a-f]{24})$/;
const auditQuery = z.strictObject({
  run: z
    .string()
    .regex(/^\d{1,7}$/, 'must be a whole number of at most seven digits')
    .transform(Number)
    .optional(),
  host: name.optional(),
  item: name.optional(),
  before: z
    .string()
    .regex(CURSOR, 'is no place in the audit')
    .refine((text) => !Number.isNaN(Date.parse(CURSOR.exec(text)?.[1] ?? '')), 'has no time')
    .optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(MOST_PER_PAGE))
    .optional(),
});

/** What people ask for, and the audit of it. */
export function addActionRoutes(app: DashboardApp, surroundings: Surroundings): void {
  const { store, log } = surroundings;
  const tools = toolsOf(surroundings);

  route(
    app,
    {
      method: 'post',
      path: '/api/actions/preview',
      about: 'What an action would do, and what it would be decided against. Changes nothing.',
      body: previewBody,
    },
    async (context, { body }) => {
      const effects: ActionEffect[] = [];
      for (const each of body.targets) {
        const aim = aimedAt(body.kind, each);
        const { seen, possible, effect } = await preview(tools, body.kind, aim, requestsOf(body));
        effects.push({ ...named(aim), seen, possible, effect });
      }
      const now = (await store.serverTime()).toISOString();
      return context.json({ now, effects } satisfies PreviewAnswer);
    },
  );

  route(
    app,
    {
      method: 'post',
      path: '/api/actions',
      about: 'Carries out an action, each target only if it is still as it was seen.',
      body: actionBody,
    },
    async (context, { body }) => {
      const by = context.get('principal').name;
      const aims = body.targets.map((each) => ({ aim: aimedAt(body.kind, each), seen: each.seen }));
      const actions: ActionView[] = [];
      // One after the other: somebody who asks for two hundred must not keep others waiting.
      for (const { aim, seen } of aims) {
        const { action } = await act(tools, {
          ...{ kind: body.kind, target: aim, seen, by, via: 'dashboard', reason: body.reason },
          hours: body.hours ?? null,
          ...requestsOf(body),
        });
        const { id, state, message } = action;
        log.info(
          { event: 'dashboard.action', action: id, kind: body.kind, by, ...named(aim), state },
          `${by}: ${body.kind} ${Object.values(named(aim)).join('')}: ${state}${message === null ? '' : `, ${message}`}`,
        );
        actions.push(actionView(action));
      }
      const now = (await store.serverTime()).toISOString();
      return context.json({ now, actions } satisfies ActionsAnswer);
    },
  );

  route(
    app,
    {
      method: 'get',
      path: '/api/actions',
      about: 'What people have asked for, and what became of it; newest first.',
      query: auditQuery,
    },
    async (context, { query: { run, host, item, before, limit = ACTIONS_PER_PAGE } }) => {
      const [, at, id] = CURSOR.exec(before ?? '') ?? [];
      const [now, found] = await Promise.all([
        store.serverTime(),
        store.actions.list({
          ...(run === undefined ? {} : { run }),
          ...(host === undefined ? {} : { host }),
          ...(item === undefined ? {} : { item }),
          ...(at === undefined || id === undefined
            ? {}
            : { before: { requested: new Date(at), id } }),
          limit,
        }),
      ]);
      const last = found.length === limit ? found.at(-1) : undefined;
      return context.json({
        now: now.toISOString(),
        actions: found.map(actionView),
        before: last === undefined ? null : `${last.requested.toISOString()}_${last.id}`,
      } satisfies AuditAnswer);
    },
  );
}

function toolsOf({ store, settings }: Surroundings): Tools {
  const { rules, host } = settings;
  return {
    ...{ store, rules, writer: host.name, random: Math.random },
    attention: () => attentionNow(store, rules),
    wake: (woken) => wakeManager(settings, woken),
  };
}

function aimedAt(action: ActionKind, given: Given): Target {
  const aim = targetOf(given);
  const { target: meant } = actionRow(action);
  if (aim.kind !== meant) {
    throw new Refusal(400, `targets: ${action} is for a ${meant}, not for a ${aim.kind}`);
  }
  return aim;
}

function targetOf({ run, host, item }: Given): Target {
  if (run !== undefined) return { kind: 'run', run };
  if (host !== undefined) return { kind: 'host', host };
  return { kind: 'item', item: item ?? '' };
}

function named(aim: Target): ActionTarget {
  switch (aim.kind) {
    case 'run':
      return { run: aim.run };
    case 'host':
      return { host: aim.host };
    case 'item':
      return { item: aim.item };
  }
}

function requestsOf({ keep, on }: Requests): Pick<Ask, 'keep' | 'on'> {
  return { ...(keep === undefined ? {} : { keep }), ...(on === undefined ? {} : { on }) };
}
