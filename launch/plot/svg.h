/* svg: the few shapes that a picture of curves needs, as plain SVG 1.1: viewers and printing
 * programs differ in how they treat style sheets and scripts. Lengths are in pixels from the top
 * left corner. `style` holds further attributes: "stroke='#000'". */
#pragma once
#include <stdio.h>

typedef enum { LS_SVG_START, LS_SVG_MIDDLE, LS_SVG_END } ls_svg_anchor;
enum { LS_SVG_MARKS = 4 }; /* circle, square, triangle, diamond */

/* A picture with a white ground, until the caller writes </svg>. */
void ls_svg_begin(FILE *out, double width, double height, const char *title);
/* Until the caller writes </g>, only what lies inside this box is visible. */
void ls_svg_clip(FILE *out, double x, double y, double width, double height);
void ls_svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *style);
/* Bytes of `text` that XML does not allow are written as '?'. `y` is the base line of the text. */
void ls_svg_text(FILE *out, double x, double y, ls_svg_anchor anchor, const char *style,
                 const char *text);
/* An estimate of the width of a text. */
double ls_svg_text_width(const char *text, double font_size);
/* One of the LS_SVG_MARKS marks, about 7 pixels wide, around a point. */
void ls_svg_mark(FILE *out, int mark, double x, double y, const char *style);
