/* svg: the few shapes that a picture of curves needs, as plain SVG 1.1 without style sheets and
 * scripts, which viewers and printing programs treat differently. Lengths are in pixels from the
 * top left corner. `look` holds further attributes: "stroke='#000'". */
#pragma once
#include <stdio.h>

#include "core/check.h"

typedef enum { LS_SVG_START, LS_SVG_MIDDLE, LS_SVG_END } ls_svg_anchor;
typedef enum {
    LS_SVG_CIRCLE,
    LS_SVG_SQUARE,
    LS_SVG_TRIANGLE,
    LS_SVG_DIAMOND,
    LS_SVG_MARKS
} ls_svg_mark;

void ls_svg_begin(FILE *out, double width, double height, const char *title);
void ls_svg_end(FILE *out);
void ls_svg_box(FILE *out, double x, double y, double width, double height, const char *look);
void ls_svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *look);
/* Bytes of `text` that XML does not allow are written as '?'. `y` is the base line of the text. */
void ls_svg_text(FILE *out, double x, double y, ls_svg_anchor anchor, const char *look,
                 const char *text);
/* An estimate of the width of a text. */
double ls_svg_text_width(const char *text, double size);
/* A mark of about 7 pixels around a point. */
void ls_svg_put_mark(FILE *out, ls_svg_mark mark, double x, double y, const char *look);
/* Between the two calls only what lies inside the box is visible. */
void ls_svg_clip_begin(FILE *out, double x, double y, double width, double height);
void ls_svg_clip_end(FILE *out);
/* A polyline: begin; move to the first point of each piece, lines to its other points; end. */
void ls_svg_path_begin(FILE *out);
void ls_svg_path_move(FILE *out, double x, double y);
void ls_svg_path_line(FILE *out, double x, double y);
void ls_svg_path_end(FILE *out, const char *look);
