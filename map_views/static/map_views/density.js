// Paints the heat: how many cases there are around each pixel, as a colour.
//
// It takes the place of the painter inside leaflet.heat, with the same methods. That
// one lays translucent discs over each other and reads the canvas back to colour it:
// slow on phones, and where discs pile up all places look alike. Here the weights are
// added up, and nothing is read back.

// Pixels a side that share one value; the browser smooths between them.
const GRAIN = 4;
const STEPS = 256;
// Below this share of the full colour, the heat fades out.
const FADE = 0.24;
const OPACITY = 0.88;
// Below 1, the quiet places stay visible beside the capital.
const CONTRAST = 0.55;
// The colour is full where few places of the view have more; never for so few cases.
const FULL = 0.996;
const FEWEST = 4;
// So far from half and half, a place takes the colour of the state it has more of.
const LEAN = 0.2;

/** How much has the full colour: the same for all that are painted to be compared. */
export class Scale {
  constructor() {
    this.members = new Map();
    this.full = 0;
    this.isHeld = false;
    this.onChange = () => undefined;
  }

  /** The full amount, once a member says what it would be for itself. */
  agree(member, own) {
    this.members.set(member, own);
    return this.settle(member);
  }

  leave(member) {
    this.members.delete(member);
    this.settle(null);
  }

  /** Held, it only grows: what is shown one after the other can be compared too. */
  hold(isHeld) {
    this.isHeld = isHeld;
    if (!isHeld) this.settle(null);
  }

  settle(asking) {
    const full = Math.max(0, ...this.members.values(), this.isHeld ? this.full : 0);
    if (full !== this.full) {
      this.full = full;
      this.onChange(full);
      for (const member of this.members.keys()) if (member !== asking) member.draw();
    }
    return full;
  }
}

export class Density {
  constructor(canvas, scale = new Scale()) {
    this.context = canvas.getContext("2d");
    this.small = document.createElement("canvas");
    this._width = canvas.width;
    this._height = canvas.height;
    this.points = [];
    this.companion = null;
    this.isSilent = false;
    this.radius(20);
    this.spread(14);
    this.scale = scale;
  }

  radius(pixels) {
    this._r = pixels;
    return this;
  }

  /** How far apart the points are, in pixels. */
  spread(pixels) {
    this.spacing = pixels;
    return this;
  }

  /** What one point of weight 1 adds at its place, where a sum is weight by cell. */
  get share() {
    return (4 * this.spacing ** 2) / (Math.PI * this._r ** 2);
  }

  gradient(stops) {
    this.palette = palette(stops);
    return this;
  }

  /** Paints together with another, which then does not paint by itself. */
  join(companion, stopsBetween) {
    this.companion = companion;
    this.between = palette(stopsBetween);
    companion.isSilent = true;
  }

  part() {
    if (this.companion) this.companion.isSilent = false;
    this.companion = null;
  }

  max() {
    return this;
  }

  data(points) {
    this.points = points;
    return this;
  }

  draw() {
    this.context.clearRect(0, 0, this._width, this._height);
    const width = Math.ceil(this._width / GRAIN) + 1;
    const height = Math.ceil(this._height / GRAIN) + 1;
    this.small.width = width;
    this.small.height = height;
    this.width = width;
    this.sums = this.field(width, height);
    if (this.isSilent) {
      this.scale.leave(this);
      return;
    }
    const image = this.small.getContext("2d").createImageData(width, height);
    const other = this.companion?.sums?.length === this.sums.length ? this.companion : null;
    const total = other ? this.sums.map((sum, i) => sum + other.sums[i]) : this.sums;
    const own = Math.max(FEWEST * this.share, percentile(total));
    if (!this.points.length && !other) this.scale.leave(this);
    const full = this.points.length || other ? this.scale.agree(this, own) : own;
    if (other) colourTogether(image.data, total, full, this, other);
    else colour(image.data, total, full, this.palette);
    this.small.getContext("2d").putImageData(image, 0, 0);
    this.context.imageSmoothingQuality = "high";
    this.context.drawImage(this.small, -GRAIN / 2, -GRAIN / 2, width * GRAIN, height * GRAIN);
  }

  /** The weights around each pixel added up: where all cells weigh the same, that. */
  field(width, height) {
    const field = new Float32Array(width * height);
    const reach = this._r / GRAIN;
    const { share } = this;
    for (const [x, y, weight] of this.points) {
      const [cx, cy] = [x / GRAIN, y / GRAIN];
      const bottom = Math.min(height - 1, Math.floor(cy + reach));
      const right = Math.min(width - 1, Math.floor(cx + reach));
      for (let j = Math.max(0, Math.ceil(cy - reach)); j <= bottom; j++) {
        for (let i = Math.max(0, Math.ceil(cx - reach)); i <= right; i++) {
          const near = 1 - ((i - cx) ** 2 + (j - cy) ** 2) / reach ** 2;
          if (near > 0) field[j * width + i] += weight * share * near ** 3;
        }
      }
    }
    return field;
  }
}

function percentile(sums) {
  const positive = sums.filter((sum) => sum > 0).sort();
  return positive[Math.floor((positive.length - 1) * FULL)] ?? 0;
}

function colour(pixels, sums, full, colours) {
  for (let i = 0; i < sums.length; i++) {
    if (sums[i] <= 0) continue;
    const strength = Math.min(1, (sums[i] / full) ** CONTRAST);
    const step = Math.round(strength * (STEPS - 1)) * 3;
    for (let k = 0; k < 3; k++) pixels[4 * i + k] = colours[step + k];
    pixels[4 * i + 3] = opacity(strength);
  }
}

/** The strength is that of both; the colour says which of the two there is more of. */
function colourTogether(pixels, total, full, one, other) {
  // The share of each varies more slowly than the sum, or single cases would be confetti.
  const reach = Math.ceil((2 * one._r) / GRAIN);
  const part = blurred(one.sums, one.width, reach);
  const whole = blurred(total, one.width, reach);
  for (let i = 0; i < total.length; i++) {
    if (total[i] <= 0) continue;
    const strength = Math.min(1, (total[i] / full) ** CONTRAST);
    const step = Math.round(strength * (STEPS - 1)) * 3;
    const lean = Math.max(-1, Math.min(1, (part[i] / whole[i] - 0.5) / LEAN));
    const side = lean > 0 ? one.palette : other.palette;
    for (let k = 0; k < 3; k++) {
      const middle = one.between[step + k];
      pixels[4 * i + k] = middle + (side[step + k] - middle) * Math.abs(lean);
    }
    pixels[4 * i + 3] = opacity(strength);
  }
}

/** The mean around each pixel, `reach` to every side. */
function blurred(field, width, reach) {
  const height = field.length / width;
  const across = runningSums(field, height, width, width, 1, reach);
  return runningSums(across, width, height, 1, width, reach);
}

function runningSums(field, lines, length, lineStep, step, reach) {
  const sums = new Float32Array(field.length);
  for (let line = 0; line < lines; line++) {
    const start = line * lineStep;
    let sum = 0;
    for (let k = -reach; k < length; k++) {
      if (k + reach < length) sum += field[start + (k + reach) * step];
      if (k - reach - 1 >= 0) sum -= field[start + (k - reach - 1) * step];
      if (k >= 0) sums[start + k * step] = Math.max(sum, 1e-9);
    }
  }
  return sums;
}

function opacity(strength) {
  const share = Math.min(1, strength / FADE);
  return 255 * OPACITY * share * share * (3 - 2 * share);
}

/** Red, green and blue of each step between the stops, a colour by its share. */
function palette(byShare) {
  const stops = Object.entries(byShare).sort(([one], [other]) => one - other);
  const colours = new Uint8ClampedArray(STEPS * 3);
  for (let step = 0; step < STEPS; step++) {
    const share = step / (STEPS - 1);
    const next = Math.max(1, stops.findIndex(([at]) => Number(at) >= share));
    const [[low, from], [high, to]] = [stops[next - 1], stops[next]];
    const t = (share - low) / (high - low);
    for (let k = 0; k < 3; k++) {
      const [one, other] = [channel(from, k), channel(to, k)];
      colours[step * 3 + k] = one + (other - one) * t;
    }
  }
  return colours;
}

const channel = (hex, k) => parseInt(hex.slice(1 + 2 * k, 3 + 2 * k), 16);
