/* svg: writes plain SVG. */
#include "launch/plot/svg.h"

static const char font[] = "font-family='Helvetica, Arial, DejaVu Sans, sans-serif'";

/* The bytes of the UTF-8 character at `text`; 0 where there is no character that XML allows. */
static int utf8_length(const unsigned char *text)
{
    int length = text[0] < 0x80   ? 1
                 : text[0] < 0xc2 ? 0
                 : text[0] < 0xe0 ? 2
                 : text[0] < 0xf0 ? 3
                 : text[0] < 0xf5 ? 4
                                  : 0;
    for (int i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return length == 1 && text[0] < 0x20 ? 0 : length;
}

static void put_escaped(FILE *out, const char *text)
{
    static const char *const entities[128] = {
        ['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['\''] = "&#39;", ['"'] = "&quot;"};
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        int length = utf8_length(c);
        if (length == 0)
            fputc('?', out);
        else if (length == 1 && entities[*c])
            fputs(entities[*c], out);
        else
            fwrite(c, 1, (size_t)length, out);
        c += length ? length : 1;
    }
}

void ls_svg_begin(FILE *out, double width, double height, const char *title)
{
    fprintf(out,
            "<?xml version='1.0' encoding='UTF-8'?>\n"
            "<svg xmlns='http://www.w3.org/2000/svg' version='1.1' width='%g' height='%g' "
            "viewBox='0 0 %g %g' %s>\n<title>",
            width, height, width, height, font);
    put_escaped(out, title);
    fputs("</title>\n", out);
}

void ls_svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}

void ls_svg_box(FILE *out, double x, double y, double width, double height, const char *look)
{
    fprintf(out, "<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' %s/>\n", x, y, width, height,
            look);
}

void ls_svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *look)
{
    fprintf(out, "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' %s/>\n", x1, y1, x2, y2, look);
}

void ls_svg_text(FILE *out, double x, double y, ls_svg_anchor anchor, const char *look,
                 const char *text)
{
    static const char *const anchors[] = {
        [LS_SVG_START] = "start", [LS_SVG_MIDDLE] = "middle", [LS_SVG_END] = "end"};
    fprintf(out, "<text x='%.1f' y='%.1f' text-anchor='%s' %s>", x, y, anchors[anchor], look);
    put_escaped(out, text);
    fputs("</text>\n", out);
}

double ls_svg_text_width(const char *text, double size)
{
    static const double share = 0.56; /* mean width of Helvetica's characters over their height */
    double width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) == 0x80 ? 0 : share * size;
    return width;
}

void ls_svg_put_mark(FILE *out, ls_svg_mark mark, double x, double y, const char *look)
{
    static const char *const shapes[LS_SVG_MARKS] = {
        [LS_SVG_CIRCLE] = "m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0z",
        [LS_SVG_SQUARE] = "m-3 -3h6v6h-6z",
        [LS_SVG_TRIANGLE] = "m0 -4l3.8 6.6h-7.6z",
        [LS_SVG_DIAMOND] = "m0 -4.2l4.2 4.2l-4.2 4.2l-4.2 -4.2z"};
    fprintf(out, "<path d='M%.1f %.1f%s' %s/>\n", x, y, shapes[mark], look);
}

void ls_svg_clip_begin(FILE *out, double x, double y, double width, double height)
{
    fprintf(out,
            "<clipPath id='at%.0f-%.0f'><rect x='%.1f' y='%.1f' width='%.1f' "
            "height='%.1f'/></clipPath>\n"
            "<g clip-path='url(#at%.0f-%.0f)'>\n",
            x, y, x, y, width, height, x, y);
}

void ls_svg_clip_end(FILE *out)
{
    fputs("</g>\n", out);
}

void ls_svg_path_begin(FILE *out)
{
    fputs("<path d='", out);
}

void ls_svg_path_move(FILE *out, double x, double y)
{
    fprintf(out, "M%.1f %.1f", x, y);
}

void ls_svg_path_line(FILE *out, double x, double y)
{
    fprintf(out, "L%.1f %.1f", x, y);
}

void ls_svg_path_end(FILE *out, const char *look)
{
    fprintf(out, "' fill='none' stroke-linejoin='round' %s/>\n", look);
}
