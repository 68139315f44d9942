import { colour } from './axes.ts';

/** Saves a chart as a picture, on the ground of the page and with its title. */
export function savePng(canvas: HTMLCanvasElement, title: string, name: string): void {
  const scale = window.devicePixelRatio;
  const head = 28 * scale;
  const whole = document.createElement('canvas');
  whole.width = canvas.width;
  whole.height = canvas.height + head;
  const context = whole.getContext('2d');
  if (context === null) return;
  context.fillStyle = colour('--panel');
  context.fillRect(0, 0, whole.width, whole.height);
  context.fillStyle = colour('--text');
  context.font = `${14 * scale}px system-ui, sans-serif`;
  context.fillText(title, 8 * scale, 19 * scale);
  context.drawImage(canvas, 0, head);
  whole.toBlob((blob) => {
    if (blob !== null) save(blob, `${name}.png`);
  });
}

/** Saves what a picture is drawn of. */
export function saveJson(data: unknown, name: string): void {
  save(new Blob([JSON.stringify(data, null, 1)], { type: 'application/json' }), `${name}.json`);
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
