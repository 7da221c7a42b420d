import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pathsOf } from '../../src/paths.ts';

test('files are where XDG says, and relative places are ignored', () => {
  const home = { HOME: '/home/u' };
  expect(pathsOf(home)).toEqual({
    config: '/home/u/.config/leasectl',
    state: '/home/u/.local/state/leasectl',
    leases: '/home/u/.local/share/leasectl/leases.db',
    handles: '/home/u/.local/state/leasectl/handles.db',
    tokens: '/home/u/.local/state/leasectl/tokens',
    work: '/home/u/.local/state/leasectl/work',
    cache: '/home/u/.cache/leasectl',
  });
  expect(pathsOf({ ...home, XDG_DATA_HOME: '/d', XDG_STATE_HOME: 'relative' })).toMatchObject({
    leases: join('/d', 'leasectl', 'leases.db'),
    handles: '/home/u/.local/state/leasectl/handles.db',
  });
});

test('on Windows files are where programs have theirs, unless XDG says otherwise', () => {
  const env = {
    USERPROFILE: 'C:\\Users\\u',
    APPDATA: 'C:\\Users\\u\\AppData\\Roaming',
    LOCALAPPDATA: 'D:\\Local',
    // Of a shell that came from elsewhere: no path here.
    HOME: '/home/u',
  };
  expect(pathsOf(env, 'win32')).toEqual({
    config: 'C:\\Users\\u\\AppData\\Roaming\\leasectl',
    state: 'D:\\Local\\leasectl\\state',
    leases: 'D:\\Local\\leasectl\\data\\leases.db',
    handles: 'D:\\Local\\leasectl\\state\\handles.db',
    tokens: 'D:\\Local\\leasectl\\state\\tokens',
    work: 'D:\\Local\\leasectl\\state\\work',
    cache: 'D:\\Local\\leasectl\\cache',
  });
  expect(pathsOf({ USERPROFILE: 'C:\\Users\\u', APPDATA: 'relative' }, 'win32')).toMatchObject({
    config: 'C:\\Users\\u\\AppData\\Roaming\\leasectl',
    cache: 'C:\\Users\\u\\AppData\\Local\\leasectl\\cache',
  });
  expect(pathsOf({ ...env, XDG_STATE_HOME: '\\\\server\\share' }, 'win32')).toMatchObject({
    state: '\\\\server\\share\\leasectl',
  });
});
