/** Characters that a terminal acts on, or that turn text around; none of them is seen. */
export const ACTING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
