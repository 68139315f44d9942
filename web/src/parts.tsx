import type { ComponentChildren } from 'preact';

import { duration, local, roughly, utc } from './format.ts';
import { type Freshness, serverNow, useLive } from './live.ts';

/** A time, UTC; the reader's own on hover. */
export function Time({ at, short = false }: { at: string; short?: boolean }) {
  const date = new Date(at);
  const text = utc(date);
  return (
    <time dateTime={at} title={local(date)} class="num">
      {short ? text.slice(5, 16) : text}
    </time>
  );
}

/** The time since then, by the database's clock. */
export function Ago({ at, suffix = ' ago' }: { at: string; suffix?: string }) {
  useLive();
  const date = new Date(at);
  const seconds = (serverNow() - date.getTime()) / 1000;
  return (
    <time dateTime={at} title={`${utc(date)} UTC · ${local(date)}`} class="num">
      {roughly(seconds)}
      {suffix}
    </time>
  );
}

/** The time until then, counting down; afterwards the time since. */
export function Until({ at, past = 'due for' }: { at: string; past?: string }) {
  useLive();
  const date = new Date(at);
  const seconds = (date.getTime() - serverNow()) / 1000;
  return (
    <time dateTime={at} title={`${utc(date)} UTC · ${local(date)}`} class="num">
      {seconds > 0 ? `in ${duration(seconds)}` : `${past} ${roughly(-seconds)}`}
    </time>
  );
}

interface PanelProps {
  title: string;
  fresh: Freshness;
  /** True until the first answer. */
  loading: boolean;
  /** Beside the title. */
  aside?: ComponentChildren;
  class?: string;
  children?: ComponentChildren;
}

/** A part of a page with its own age: grey as soon as it is stale. */
export function Panel({ title, fresh, loading, aside, children, class: name = '' }: PanelProps) {
  const id = `panel-${title.replace(/\W+/g, '-').toLowerCase()}`;
  return (
    <section
      class={`panel ${name} ${fresh.stale ? 'stale' : ''}`}
      aria-labelledby={id}
      aria-busy={loading}
      data-stale={fresh.stale}
    >
      <header class="panel-head">
        <h2 id={id}>{title}</h2>
        {aside}
        <Age fresh={fresh} />
      </header>
      {loading ? <Loading why={fresh.why} /> : <div class="panel-body">{children}</div>}
    </section>
  );
}

function Age({ fresh }: { fresh: Freshness }) {
  if (fresh.ageSeconds === null) return null;
  const age = roughly(fresh.ageSeconds);
  return fresh.stale ? (
    <p class="age age-stale" role="status" title={fresh.why ?? undefined}>
      old: read {age} ago
    </p>
  ) : (
    <p class="age" title="since this was read from the database">
      {age}
    </p>
  );
}

function Loading({ why }: { why: string | null }) {
  return why === null ? (
    <p class="empty">Reading …</p>
  ) : (
    <p class="empty problem" role="status">
      Cannot be read: {why}
    </p>
  );
}

/** Shown where there is nothing, with what that means. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

interface MeterProps {
  /** For screen readers. */
  label: string;
  /** 0 to 1. */
  fraction: number;
  tone?: 'active' | 'good' | 'warn' | 'bad' | 'idle';
  /** A limit, drawn as a line at this fraction. */
  limit?: number;
}

/** A bar. */
export function Meter({ label, fraction, tone = 'active', limit }: MeterProps) {
  const share = Math.min(1, Math.max(0, fraction));
  return (
    <svg
      class={`meter tone-${tone}`}
      viewBox="0 0 100 6"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${Math.round(share * 100)} %`}
    >
      <rect class="meter-ground" width="100" height="6" rx="1" />
      <rect class="meter-fill" width={share * 100} height="6" rx="1" />
      {limit !== undefined && (
        <rect class="meter-limit" x={limit * 100 - 0.4} width="0.8" height="6" />
      )}
    </svg>
  );
}

/** A host's name without what all names have in common. */
export function HostName({ host }: { host: string }) {
  const [first = host, ...rest] = host.split('.');
  return <span title={rest.length > 0 ? host : undefined}>{first}</span>;
}

const ADDRESS = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/;

/** What a person wrote, with its addresses as links; everything else is text. */
export function Linked({ text }: { text: string }) {
  return (
    <>
      {text.split(ADDRESS).map((part, i) =>
        i % 2 === 1 ? (
          <a key={i} href={part} target="_blank" rel="noopener noreferrer">
            {part}
          </a>
        ) : (
          part
        ),
      )}
    </>
  );
}
