import { eventColumns, eventRow } from './lease-view.ts';
import { type Column, createRows } from './output/rows.ts';
import type { Style } from './output/style.ts';
import { serviceTime, timeOfDay } from './output/time.ts';
import type { EventInfo } from './services/admin/wire.ts';

/** How wide the columns are at least, and who gets the room that is left. */
const COLUMNS: Readonly<Record<string, Omit<Column, 'name'>>> = {
  TIME: { width: 9 },
  EVENT: { width: 9 },
  KIND: { width: 10 },
  ID: { width: 12, share: 4 },
  CHANGE: { width: 14 },
  CALLER: { width: 10, share: 2 },
  DETAIL: { width: 8, share: 3 },
  REQUEST: { width: 36 },
};

/**
 * Events as they come, for people and for pipes.
 *
 * @returns lines: the first time with the names of the columns, unless they are not wanted
 */
export function createEventLines(): (event: EventInfo, style: Style) => string {
  let rows: ReturnType<typeof createRows> | undefined;
  let day = '';
  return (event, style) => {
    const isShort = style.isInteractive && !style.isWide;
    const lines: string[] = [];
    if (!rows) {
      const columns = eventColumns(style).map((name) => ({ name, width: 8, ...COLUMNS[name] }));
      rows = createRows(columns, style);
      if (style.hasHeader) lines.push(rows.head);
    }
    const { date, time } = timeOfDay(event.at, style);
    if (isShort && date !== day) lines.push(style.paint.dim(date));
    day = date;
    const shown = isShort ? time : (serviceTime(event.at, style) ?? '');
    return [...lines, rows.row(eventRow(event, shown, style))].join('\n');
  };
}
