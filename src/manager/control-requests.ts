import type { ControlRequest, ControlResponse } from '../exclusion/manager-lock.ts';
import type { ManagerLoop } from './loop.ts';

/** What a manager answers to a process on this machine; `manager` is null until it works. */
export async function answerRequest(
  manager: ManagerLoop | null,
  request: ControlRequest,
  runOnce: number | undefined,
): Promise<ControlResponse> {
  if (manager === null) return { ok: false, message: 'the manager is starting; ask again' };
  switch (request.type) {
    case 'process':
      return manager.process(request);
    case 'stop_children':
      return manager.stopChildren();
    case 'status':
      return manager.status();
    case 'heartbeat':
      return manager.heartbeat();
    case 'drain': {
      const { reason, expires, action = null } = request;
      const until = expires === undefined ? null : new Date(expires);
      return manager.drain({ reason, expires: until, action });
    }
    case 'undrain':
      return manager.drain(null);
    case 'asked':
      return manager.asked();
    case 'hand_back':
      if (runOnce === undefined) return manager.handBack(request);
      return { ok: false, message: `run ${runOnce} is processed here in the foreground` };
  }
}
