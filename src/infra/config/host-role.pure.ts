/**
 * What a host may take. primary: any run. backup: new runs only when it is needed. never: no new
 * runs. Veto-only runs and due retries are for every host (reference, sections 2.2 and 3.3).
 */
export type HostRole = 'primary' | 'backup' | 'never';
