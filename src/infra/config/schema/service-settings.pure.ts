import { z } from 'zod';

import {
  addresses,
  boolean,
  formedText,
  list,
  number,
  optionalPath,
  optionalText,
  optionalUrl,
  text,
} from './setting.pure.ts';

const positive = z.number().positive();
const web = ['https:', 'http:'];
const header = { form: /^[a-z0-9-]+$/, expected: 'the name of a header in small letters' };

/** What people are served with: the dashboard and the alarms. */
export const SERVICE_SETTINGS = z.strictObject({
  dashboard: z.strictObject({
    address: text({
      name: 'dashboard-address',
      default: '127.0.0.1',
      description:
        'Address on which the dashboard listens. All but loopback need users or a proxy: see [access](access.md).',
    }),
    port: number(z.int().min(0).max(65_535), {
      name: 'dashboard-port',
      default: 8580,
      description: 'Port of the dashboard. 0 means any free port.',
    }),
    stateDirs: optionalPath({
      name: 'dashboard-state-dirs',
      description:
        'Where the state folders of the hosts are mounted on this machine; `{host}` stands for the full name of each. With it, logs and curves of their attempts are shown as well.',
    }),
    hostNames: list({
      default: [],
      description:
        'Names under which browsers reach the dashboard, besides the names of this machine. Requests under any other name are refused.',
    }),
    login: boolean({
      default: false,
      description:
        'Ask for a login on loopback as well. This is for a machine on which other people work, or with a proxy that does not say who asks.',
    }),
    sessionHours: number(positive, {
      default: 168,
      unit: 'h',
      description: 'A login ends after this time.',
    }),
    metricsAddresses: addresses({
      description: 'Addresses that may read `/metrics` without a login.',
    }),
    metricsToken: optionalText({
      hidden: true,
      description:
        'Requests with this token (`Authorization: Bearer`) may read `/metrics` as well.',
    }),
    proxy: z.strictObject({
      addresses: addresses({
        description:
          'Addresses of a trusted proxy, with a laboratory’s single sign-on before it. What it says of the person who asks is believed.',
      }),
      userHeader: formedText(header.form, {
        default: 'x-forwarded-user',
        expected: header.expected,
        description: 'Header in which the proxy gives the name of the person.',
      }),
      groupsHeader: formedText(header.form, {
        default: 'x-forwarded-groups',
        expected: header.expected,
        description:
          'Header in which the proxy gives the groups of the person, separated by commas.',
      }),
      operators: list({
        default: [],
        description:
          'Names of the people who may act. `*` means everybody whom the proxy lets through.',
      }),
      operatorGroups: list({
        default: [],
        description: 'Groups whose members may act.',
      }),
      viewers: list({
        default: [],
        description:
          'Names of the people who may look. `*` means everybody whom the proxy lets through.',
      }),
      viewerGroups: list({
        default: [],
        description: 'Groups whose members may look.',
      }),
    }),
  }),
  alarms: z.strictObject({
    webhook: optionalUrl(web, {
      hidden: true,
      description:
        'Address to which alarms are posted as JSON. It is a secret, since such addresses mostly carry a key.',
    }),
    mailServer: optionalUrl(['smtp:', 'smtps:'], {
      description:
        'Mail server: `smtp://host:25`, which is encrypted if the server offers that, or `smtps://host:465`.',
    }),
    mailFrom: optionalText({ description: 'Sender of the mails.' }),
    mailTo: list({ default: [], description: 'Addresses to which an alarm is mailed.' }),
    mailUser: optionalText({
      description: 'User at the mail server. With a user, mails are sent encrypted only.',
    }),
    mailPassword: optionalText({ hidden: true, description: 'Password at the mail server.' }),
    deadMan: optionalUrl(web, {
      hidden: true,
      description:
        'Address of an outside receiver that is called at an interval while the databases can be read. The receiver notifies people when the calls stop.',
    }),
    deadManSeconds: number(positive, {
      default: 60,
      unit: 's',
      description: 'Interval at which `alarms.dead_man` is called.',
    }),
    link: optionalUrl(web, {
      description: 'Address under which people reach the dashboard. Each message names it.',
    }),
    pollSeconds: number(positive, {
      default: 15,
      unit: 's',
      earlier: 'alarms.look_seconds',
      description: 'Pause between two polls of the databases, also while nobody watches.',
    }),
    holdSeconds: number(z.number().nonnegative(), {
      default: 30,
      unit: 's',
      description:
        'An alarm is sent when its cause has been seen without a break for this time, and is over when it has been absent as long.',
    }),
    retrySeconds: number(positive, {
      default: 30,
      unit: 's',
      description:
        'Pause after a receiver has failed. It doubles with each further failure, up to an hour.',
    }),
    diskFullHours: number(positive, {
      default: 6,
      unit: 'h',
      description:
        'An alarm is sent for a disk that will be full within this time at its present rate.',
    }),
    nothingProcessedSeconds: number(positive, {
      default: 1800,
      unit: 's',
      description: 'An alarm is sent when runs wait or fail and none has been done for this time.',
    }),
  }),
});
