/* svg: the few shapes that a picture of curves needs, as plain SVG 1.1: no style sheet and no
 * script, so that every viewer and printing program shows the same. Lengths in pixels from the top
 * left corner. `look` holds further attributes: "stroke='#000'". */
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
/* `text` may hold any bytes; what XML can't hold is written as '?'. `y` is its base line. */
void ls_svg_text(FILE *out, double x, double y, ls_svg_anchor anchor, const char *look,
                 const char *text);
/* About how wide a text of that size is. */
double ls_svg_text_width(const char *text, double size);
/* A mark of about 7 pixels around a point. */
void ls_svg_put_mark(FILE *out, ls_svg_mark mark, double x, double y, const char *look);
/* What is drawn between the two shows inside the box only. */
void ls_svg_clip_begin(FILE *out, double x, double y, double width, double height);
void ls_svg_clip_end(FILE *out);
/* A polyline in pieces: begin, any number of points (`lift`: the pen is up on the way), end. */
void ls_svg_path_begin(FILE *out);
void ls_svg_path_point(FILE *out, bool lift, double x, double y);
void ls_svg_path_end(FILE *out, const char *look);
