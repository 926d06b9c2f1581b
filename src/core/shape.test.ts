import { describe, expect, it } from '@jest/globals';
import { readShape, shape, type Shape } from './shape.ts';

const person = shape.fields({
  name: shape.text,
  age: shape.integer(0),
  tags: shape.list(shape.oneOf('a', 'b')),
  spouse: shape.nullable(shape.fields({ name: shape.text })),
  sizes: shape.map(shape.number),
  isHere: shape.flag,
});
const ANNA = { name: 'Anna', age: 3, tags: ['a', 'b'], spouse: null, sizes: { shoe: 38.5 }, isHere: true };

describe('shapes', () => {
  it('read what fits, and keep what they do not know', () => {
    const value = { ...ANNA, spouse: { name: 'Bert', age: 4 }, more: 1 };
    expect(readShape(person, value)).toEqual({ kind: 'read', value });
  });

  it('check what may be missing where it is there', () => {
    const maybe = shape.fields({ name: shape.text }, { nick: shape.text });
    expect(readShape(maybe, { name: 'Anna' })).toEqual({ kind: 'read', value: { name: 'Anna' } });
    expect(readShape(maybe, { name: 'Anna', nick: 1 })).toEqual({ kind: 'refused', reason: 'nick is not a string' });
  });

  const positive: Shape<number> = shape.where(shape.number, (value) => value > 0, 'positive');
  it.each<[string, Shape<unknown>, unknown]>([
    ['name is not a string', person, { ...ANNA, name: 1 }],
    ['age is not a whole number from 0', person, { ...ANNA, age: -1 }],
    ['age is not a whole number from 0', person, { ...ANNA, age: 1.5 }],
    ['age is not a whole number from 0', person, { ...ANNA, age: 2 ** 53 }],
    ['tags is not a list', person, { ...ANNA, tags: 'a' }],
    ['tags[1] is not one of a, b', person, { ...ANNA, tags: ['a', 'c'] }],
    ['spouse is not a mapping', person, { ...ANNA, spouse: [] }],
    ['spouse.name is not a string', person, { ...ANNA, spouse: {} }],
    ['sizes.shoe is not a number', person, { ...ANNA, sizes: { shoe: null } }],
    ['isHere is not true or false', person, { ...ANNA, isHere: undefined }],
    ['the whole is not a mapping', person, null],
    ['the whole is not positive', positive, 0],
    ['name is not a string', shape.fields({ name: shape.text }), Object.create({ name: 'inherited' })],
  ])('say that %s', (reason, expected, value) => {
    expect(readShape(expected, value)).toEqual({ kind: 'refused', reason });
  });

  it('pass on what else goes wrong', () => {
    const broken = (): never => {
      throw new RangeError('broken');
    };
    expect(() => readShape(broken, 1)).toThrow(RangeError);
  });
});
