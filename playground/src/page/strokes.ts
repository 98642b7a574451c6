/** Drawing on a canvas with a pointer (mouse, pen, finger) or with keys. */

/** Of the pad's side. */
const PEN = 0.085;
/** An arrow key moves the pen so far; with shift a third of it. */
const STEP = 0.05;

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class Strokes {
  /** Side of the canvas in its own pixels. */
  static readonly SIZE = 448;

  private readonly context: CanvasRenderingContext2D;
  private readonly listening = new AbortController();
  private pointer: number | null = null;
  private last = { x: 0, y: 0 };
  /** The pen of the keys, in parts of the side. */
  private pen = { x: 0.5, y: 0.25, down: false };
  private announced = 0;

  /**
   * @param surface around the canvas, and as large: takes pointers, keys and the focus
   * @param cursor shows the keys' pen, while the pad has the focus and keys are used
   * @param changed called once a frame at most, when there is other ink
   */
  constructor(
    private readonly surface: HTMLElement,
    canvas: HTMLCanvasElement,
    private readonly cursor: HTMLElement,
    private readonly changed: () => void,
  ) {
    this.context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
    this.context.lineWidth = PEN * Strokes.SIZE;
    this.context.lineCap = this.context.lineJoin = "round";
    const on = (type: string, listener: (event: any) => void) =>
      surface.addEventListener(type, listener, { signal: this.listening.signal });
    on("pointerdown", (event: PointerEvent) => this.begin(event));
    on("pointermove", (event: PointerEvent) => this.move(event));
    for (const type of ["pointerup", "pointercancel"]) on(type, (event: PointerEvent) => this.end(event));
    on("keydown", (event: KeyboardEvent) => this.key(event));
    on("blur", () => this.liftPen());
  }

  stop(): void {
    this.listening.abort();
  }

  clear(): void {
    this.context.clearRect(0, 0, Strokes.SIZE, Strokes.SIZE);
    this.announce();
  }

  /** Draws in another colour from now on, what is there too. */
  recolor(color: string): void {
    this.context.strokeStyle = this.context.fillStyle = color;
    this.context.globalCompositeOperation = "source-in";
    this.context.fillRect(0, 0, Strokes.SIZE, Strokes.SIZE);
    this.context.globalCompositeOperation = "source-over";
  }

  /** An image in place of what is drawn. */
  show(pixels: Uint8Array, [r, g, b]: readonly number[]): void {
    const side = Math.sqrt(pixels.length);
    const image = new ImageData(side, side);
    pixels.forEach((value, i) => {
      image.data.set([r, g, b, value], 4 * i);
    });
    const small = document.createElement("canvas");
    small.width = small.height = side;
    small.getContext("2d")?.putImageData(image, 0, 0);
    this.context.clearRect(0, 0, Strokes.SIZE, Strokes.SIZE);
    this.context.imageSmoothingQuality = "high";
    this.context.drawImage(small, 0, 0, Strokes.SIZE, Strokes.SIZE);
    this.announce();
  }

  private at(event: PointerEvent): { x: number; y: number } {
    const { left, top, width, height } = this.surface.getBoundingClientRect();
    return {
      x: ((event.clientX - left) / width) * Strokes.SIZE,
      y: ((event.clientY - top) / height) * Strokes.SIZE,
    };
  }

  private begin(event: PointerEvent): void {
    if (this.pointer !== null || event.button !== 0) return;
    this.pointer = event.pointerId;
    this.surface.setPointerCapture(event.pointerId);
    this.liftPen();
    this.last = this.at(event);
    // A dot, should the pointer not move.
    this.lineTo(this.last);
  }

  private move(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return;
    // A pointer moves more often than there are frames; drawn through all its places, fast strokes stay round.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length > 0 ? events : [event]) this.lineTo(this.at(each));
  }

  private end(event: PointerEvent): void {
    if (event.pointerId === this.pointer) this.pointer = null;
  }

  private lineTo(to: { x: number; y: number }): void {
    this.context.beginPath();
    this.context.moveTo(this.last.x, this.last.y);
    this.context.lineTo(to.x, to.y);
    this.context.stroke();
    this.last = to;
    this.announce();
  }

  private key(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (arrow !== undefined) {
      const step = event.shiftKey ? STEP / 3 : STEP;
      const clamp = (value: number) => Math.min(1, Math.max(0, value));
      this.pen.x = clamp(this.pen.x + arrow[0] * step);
      this.pen.y = clamp(this.pen.y + arrow[1] * step);
      if (this.pen.down) this.lineTo(this.penAt());
    } else if (event.key === " ") {
      this.pen.down = !this.pen.down;
      this.last = this.penAt();
      if (this.pen.down) this.lineTo(this.last);
    } else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
    this.cursor.hidden = false;
    this.cursor.dataset.down = String(this.pen.down);
    this.cursor.style.left = `${100 * this.pen.x}%`;
    this.cursor.style.top = `${100 * this.pen.y}%`;
  }

  private penAt(): { x: number; y: number } {
    return { x: this.pen.x * Strokes.SIZE, y: this.pen.y * Strokes.SIZE };
  }

  private liftPen(): void {
    this.pen.down = false;
    this.cursor.hidden = true;
  }

  private announce(): void {
    if (this.announced !== 0) return;
    this.announced = requestAnimationFrame(() => {
      this.announced = 0;
      this.changed();
    });
  }
}
